"""A disk for nbdkit's Python plugin that keeps a record of everything it is told to write.

    nbdkit python recording_disk.py disk=FILE record=FILE

Every write and every flush is one entry of the record, in the order in which the disk was asked; nbdkit
hands over one request at a time. Entry: kind (1 write, 2 flush), 1 when it is on the medium once it is
answered, offset (8), bytes (4), little-endian, then the bytes (recording_disk_format.py).
"""

import os
import sys

import nbdkit

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from recording_disk_format import ENTRY, FLUSH, WRITE  # noqa: E402

API_VERSION = 2

files = {}


def config(key, value):
    if key == "disk":
        files[key] = os.open(value, os.O_RDWR)
    elif key == "record":
        files[key] = os.open(value, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    else:
        raise RuntimeError(f"unknown parameter {key}: only disk and record are known")


def config_complete():
    if len(files) != 2:
        raise RuntimeError("both disk and record must be given")


def open(readonly):  # noqa: A001: nbdkit's name
    return 1


def get_size(handle):
    return os.fstat(files["disk"]).st_size


def can_flush(handle):
    return True


def can_fua(handle):
    return nbdkit.FUA_NATIVE


def pread(handle, buffer, offset, flags):
    buffer[:] = os.pread(files["disk"], len(buffer), offset)


def record(kind, lasting, offset, data):
    entry = ENTRY.pack(kind, lasting, offset, len(data)) + data
    if os.write(files["record"], entry) != len(entry):
        raise OSError("the record was written in part")


def pwrite(handle, buffer, offset, flags):
    record(WRITE, 1 if flags & nbdkit.FLAG_FUA else 0, offset, bytes(buffer))
    os.pwrite(files["disk"], buffer, offset)


def flush(handle, flags):
    record(FLUSH, 1, 0, b"")
