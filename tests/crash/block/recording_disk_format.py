"""The entries of a record that recording_disk.py writes."""

import struct

ENTRY = struct.Struct("<BBQI")  # kind, lasting, offset, bytes; the bytes follow
WRITE, FLUSH = 1, 2
