#!/usr/bin/env python3
"""A real medium error: a file system on a disk that has lost its end, so that reads of some blocks of
a segment fail (EIO). `akidb inspect --verify` and `akidb repair` must tell which file and where, look at
all the others, and not be ended by a signal, as touching a mapped page of such a block would. Skipped
(77) where it can't be mounted: root, a loop device, ext4.
"""

import glob
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "block"))
sys.path.insert(0, str(HERE.parent / "api"))

from recorded_device import make_file_system, run, unmount  # noqa: E402
from server_process import Server, binary, program_environment  # noqa: E402

SKIPPED = 77
DIM = 256
POINTS = 6000
PER_REQUEST = 500
EXIT_DAMAGE = 4
# Several segments.
ENVIRONMENT = {"AKIDB_HEAD_ROWS_MAX": "1500"}


def missing():
    if os.geteuid() != 0:
        return "mounting wants root"
    for program in ("losetup", "mount", "mkfs.ext4", "filefrag"):
        if not shutil.which(program):
            return f"no {program}"
    return None if os.path.exists("/dev/loop-control") else "no /dev/loop-control"


def fill(server):
    for name in ("bad", "good"):
        path = f"/collections/{name}"
        assert server.request("PUT", path, {"vectors": {"size": DIM, "distance": "Dot"}}).status == 200
        for first in range(0, POINTS if name == "bad" else PER_REQUEST, PER_REQUEST):
            points = [
                {"id": id, "vector": [float(id * i % 97) for i in range(DIM)]}
                for id in range(first, first + PER_REQUEST)
            ]
            reply = server.request("PUT", path + "/points?wait=true", {"points": points})
            assert reply.status == 200, reply.text


def extents(path):
    """(offset in the file, offset on the disk, bytes) of each."""
    text = run("filefrag", "-v", "-e", "-b1", path)
    found = re.findall(r"^ *\d+: +(\d+)\.\. *\d+: +(\d+)\.\. *\d+: +(\d+):", text, re.MULTILINE)
    return [tuple(map(int, extent)) for extent in found]


class Disk:
    """An ext4 of one file."""

    def __init__(self):
        self.work = tempfile.mkdtemp(prefix="akidb-media-")
        self.image = os.path.join(self.work, "image")
        self.folder = os.path.join(self.work, "mounted")
        self.loop = None
        os.mkdir(self.folder)

    def mount(self):
        """RuntimeError where that isn't allowed here."""
        make_file_system("ext4", self.image)
        self.loop = run("losetup", "-f", "--show", self.image)
        run("mount", self.loop, self.folder)

    def lose_end(self, begin):
        """Nothing behind `begin` can be read any more, or is in memory."""
        unmount(self.folder)
        run("mount", self.loop, self.folder)
        os.truncate(self.image, begin)
        run("losetup", "-c", self.loop)

    def close(self):
        if os.path.ismount(self.folder):
            unmount(self.folder)
        if self.loop:
            run("losetup", "-d", self.loop)
        shutil.rmtree(self.work, ignore_errors=True)


def akidb(*arguments):
    done = subprocess.run(
        [binary(), *arguments], capture_output=True, text=True, timeout=120, env=program_environment())
    assert done.returncode == EXIT_DAMAGE, f"{arguments[0]}: {done.returncode} {done.stderr}"
    return done.stdout


def names(report, damaged):
    """Of all that is told of, or of what is damaged of it."""
    own = [report["name"]] if "damage" in report or not damaged else []
    return own + [name for part in report.get("parts", []) for name in names(part, damaged)]


def check(disk):
    data = os.path.join(disk.folder, "data")
    server = Server(data, environment=ENVIRONMENT)
    try:
        server.start()
        fill(server)
    finally:
        server.stop()
        server.close()
    os.sync()
    places = {path: extents(path) for path in glob.glob(data + "/**", recursive=True) if os.path.isfile(path)}
    segments = [path for path in places if path.endswith(".seg")]
    begin = max(disk_at + size // 2 for path in segments for _, disk_at, size in places[path]) // 4096 * 4096
    bad = {
        os.path.basename(path)
        for path, parts in places.items()
        if any(at + size > begin for _, at, size in parts)
    }
    segments = {os.path.basename(path) for path in segments}
    assert bad & segments and segments - bad, places
    disk.lose_end(begin)

    report = json.loads(akidb("inspect", "--verify", "--json", data))
    told = set(names(report, damaged=True))
    assert bad & segments <= told <= bad, f"told {told}, bad {bad}"
    assert segments <= set(names(report, damaged=False)), report
    text = akidb("inspect", "--verify", data)
    assert re.search(r"can't read.* at offset \d+", text), text

    damages = json.loads(akidb("repair", "--json", data))["damages"]
    named = {name for name in bad if any(name in damage["what"] for damage in damages)}
    assert bad & segments <= named and len(named) == len(damages), f"told {damages}, bad {bad}"
    print(f"{len(bad)} of {len(places)} files have blocks that can't be read; {len(damages)} damages told")


def main():
    reason = missing()
    if reason:
        print(f"skipped: {reason}")
        return SKIPPED
    disk = Disk()
    try:
        try:
            disk.mount()
        except RuntimeError as error:
            print(f"skipped: {error}")
            return SKIPPED
        check(disk)
    finally:
        disk.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
