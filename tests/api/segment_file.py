"""Where the sections of a segment's file lie: docs/format/segment.md."""

import os
import struct


def sections(path):
    """[(id, offset, bytes)], in the order of the offsets."""
    with open(path, "rb") as file:
        file.seek(-64, os.SEEK_END)
        offset, length = struct.unpack("<QI", file.read(12))
        file.seek(offset)
        footer = file.read(length)
    (count,) = struct.unpack_from("<I", footer, 4)
    found = []
    for i in range(count):
        number, _, _, at, size = struct.unpack_from("<HHIQQ", footer, 72 + 32 * i)
        found.append((number, at, size))
    return found
