"""What may be on a disk after a power cut: all that was written before the last flush, and of what was
written since any part, in any order that the disk may have chosen."""

import dataclasses
import os

from recording_disk_format import ENTRY, FLUSH, WRITE

SECTOR = 512


@dataclasses.dataclass(frozen=True)
class Entry:
    kind: int
    lasting: bool
    offset: int
    begin: int  # of its bytes within the record
    size: int

    @property
    def end(self):
        return self.begin + self.size


def read_entries(record, until):
    """Those that end at `until` or before."""
    entries, position = [], 0
    with open(record, "rb") as file:
        while position + ENTRY.size <= until:
            file.seek(position)
            kind, lasting, offset, size = ENTRY.unpack(file.read(ENTRY.size))
            entry = Entry(kind, bool(lasting), offset, position + ENTRY.size, size)
            if entry.end > until:
                break
            entries.append(entry)
            position = entry.end
    return entries


class CrashImages:
    """Images for cuts that ascend. With `deaf`, the disk forgets about flushes: a seeded fault."""

    def __init__(self, device, until, deaf=False):
        self.entries = [e for e in read_entries(device.record, until) if not (deaf and e.kind == FLUSH)]
        self.record = open(device.record, "rb")
        # What surely is on the medium, brought forward from cut to cut.
        self.medium = open(os.path.join(device.work, "medium"), "w+b")
        with open(device.before, "rb") as before:
            self.medium.truncate(os.fstat(before.fileno()).st_size)
            self._copy(before, self.medium)
        self.lasting = 0  # entries before this one are on the medium

    def close(self):
        self.record.close()
        self.medium.close()

    def make(self, cut, path, chance):
        """An image of a power cut before entry `cut`; tells what has survived."""
        since = self.lasting
        flushed = max((i for i in range(since, cut) if self.entries[i].kind == FLUSH), default=since)
        for entry in self.entries[since:flushed]:
            self._apply(entry, self.medium)
        self.lasting = flushed
        waiting = [e for e in self.entries[flushed:cut] if e.kind == WRITE]
        survived = self._choose(waiting, chance)
        torn = survived[-1] if survived and chance.random() < 0.3 else None
        with open(path, "w+b") as image:
            image.truncate(os.fstat(self.medium.fileno()).st_size)
            self._copy(self.medium, image)
            for entry in survived:
                self._apply(entry, image, chance if entry is torn and not entry.lasting else None)
        return f"{len(survived)} of {len(waiting)} writes since the flush" + (", one torn" if torn else "")

    @staticmethod
    def _choose(waiting, chance):
        share = chance.choice((0, 0.1, 0.5, 0.9, 1, "first", "last"))
        if share == "first":
            kept = waiting[: chance.randint(0, len(waiting))]
        elif share == "last":
            kept = waiting[chance.randint(0, len(waiting)) :]
        else:
            kept = [e for e in waiting if chance.random() < share]
        kept += [e for e in waiting if e.lasting and e not in kept]
        kept.sort(key=lambda e: e.begin)
        return kept

    def _apply(self, entry, file, chance=None):
        """With `chance`: some of its sectors only. One sector is written whole or not at all."""
        if entry.kind != WRITE:
            return
        data = os.pread(self.record.fileno(), entry.size, entry.begin)
        for begin in range(0, entry.size, SECTOR) if chance else [0]:
            if chance is None:
                os.pwrite(file.fileno(), data, entry.offset)
            elif chance.random() < 0.5:
                os.pwrite(file.fileno(), data[begin : begin + SECTOR], entry.offset + begin)

    @staticmethod
    def _copy(source, target):
        """Only what isn't a hole."""
        end, position = os.fstat(source.fileno()).st_size, 0
        while position < end:
            try:
                position = os.lseek(source.fileno(), position, os.SEEK_DATA)
            except OSError:
                return
            hole = os.lseek(source.fileno(), position, os.SEEK_HOLE)
            while position < hole:
                data = os.pread(source.fileno(), min(hole - position, 1 << 20), position)
                os.pwrite(target.fileno(), data, position)
                position += len(data)
