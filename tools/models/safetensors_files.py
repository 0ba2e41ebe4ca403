"""Weights in the safetensors format, in one file or in the shards of an index, read when they are asked for.

The format: 8 bytes with the length of a JSON header, which gives every tensor's type, shape and place;
then the tensors. Files are checked before anything is read, so a download that broke off is found.
"""
import collections
import json
import math

import ml_dtypes
import numpy as np

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
HEADER_BYTES_MAX = 100_000_000
TYPES = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype(ml_dtypes.bfloat16)}

Place = collections.namedtuple("Place", "path type shape offset")


class Refused(Exception):
    """What a folder holds isn't what can be converted; the text says which file and what."""


def read_json(path):
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refused(f"{path.name} is missing in {path.parent}") from None
    except ValueError as error:
        raise Refused(f"{path.name} is no JSON: {error}") from None
    return value


def _header(path):
    size = path.stat().st_size
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, HEADER_BYTES_MAX):
            raise Refused(f"{path.name} is no safetensors file, or breaks off in its header")
        try:
            header = json.loads(file.read(length))
            header.pop("__metadata__", None)
            entries = [(name, entry["dtype"], tuple(entry["shape"]), *entry["data_offsets"])
                       for name, entry in header.items()]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused(f"{path.name}: its header can't be read") from None
    return 8 + length, size, entries


def places_in(path):
    """Of its tensors, by name."""
    start, size, entries = _header(path)
    places = {}
    for name, kind, shape, begin, end in entries:
        if kind not in TYPES:
            raise Refused(f"{path.name}: {name} is of type {kind}; F32, F16 and BF16 are read")
        if begin < 0 or end - begin != math.prod(shape) * TYPES[kind].itemsize:
            raise Refused(f"{path.name}: {name} has another size than its shape says")
        if start + end > size:
            raise Refused(f"{path.name} breaks off: it has {size} bytes, {name} ends at {start + end}")
        places[name] = Place(path, TYPES[kind], shape, start + begin)
    return places


def _files(folder):
    if not (folder / INDEX).exists():
        if not (folder / SINGLE).exists():
            raise Refused(f"neither {SINGLE} nor {INDEX} is in {folder}")
        return [folder / SINGLE], None
    names = read_json(folder / INDEX).get("weight_map")
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise Refused(f"{INDEX} has no weight_map")
    for name in set(names.values()):
        if "/" in name or "\\" in name or name.startswith("."):
            raise Refused(f"{INDEX} names {name}, which is outside of the folder")
        if not (folder / name).exists():
            raise Refused(f"{name} is missing, which {INDEX} names")
    return [folder / name for name in sorted(set(names.values()))], names


class Tensors:
    """By the publisher's names."""

    def __init__(self, folder):
        self.files, expected = _files(folder)
        self.places = {}
        for path in self.files:
            self.places.update(places_in(path))
        for name in expected or ():
            if name not in self.places:
                raise Refused(f"{expected[name]} has no {name}, which {INDEX} puts there")

    def shape(self, name):
        return self.places[name].shape

    def read(self, name):
        """As stored; its pages are read when they are used."""
        place = self.places[name]
        return np.memmap(place.path, place.type, "r", place.offset, place.shape)
