#!/usr/bin/env python3
"""A snapshot of a data folder's collection, whole command, against `cp --reflink=never` and a sync of the same files,
in turn; both synced, neither with hard links, the files in the page cache.

    bench/snapshot.py DATA_DIR COLLECTION [--rounds 5] [--program build/release/akidb]

bench/large_collection.py --keep leaves such a folder, whose own snapshots are deleted here. `archive` is one file in
it, `folder` a new folder of snapshots; `again` is a second snapshot in that folder after no write.
"""

import argparse
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

from measured import PROGRAM, hardware


def timed(command):
    """Seconds, and seconds of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def collection_folder(data):
    """The largest one."""
    def size(folder):
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return max((data / "collections").iterdir(), key=size)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("collection")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--program", default=PROGRAM)
    options = parser.parse_args()
    source = collection_folder(options.data)
    copied = sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
    print(f"hardware: {hardware()}; {copied / 1e9:.2f} GB")
    create = [options.program, "snapshot", "create", options.collection, "--data-dir", str(options.data), "--quiet"]
    took = {"cp": [], "archive": [], "folder": [], "again": []}
    for _ in range(options.rounds):
        # Beside the data folder, so on the same file system.
        work = pathlib.Path(tempfile.mkdtemp(prefix="snapshot_", dir=options.data.parent))
        copy = f"cp -r --reflink=never '{source}' '{work}/copy' && find '{work}/copy' -type f -exec sync {{}} +"
        for name, command in (("cp", ["sh", "-c", copy]),
                              ("archive", create),
                              ("folder", create + ["--directory", str(work / "folder")]),
                              ("again", create + ["--directory", str(work / "folder")])):
            took[name].append(timed(command))
            if name != "folder":
                shutil.rmtree(work / "copy", ignore_errors=True)
                for archive in (options.data / "snapshots").rglob("*.snapshot"):
                    archive.unlink()
                os.sync()
        shutil.rmtree(work)
        os.sync()
    base = [seconds for seconds, _ in took["cp"]]
    for name, measured in took.items():
        seconds = [one for one, _ in measured]
        ratio = statistics.median(b / s for b, s in zip(base, seconds))
        print(f"{name}: median {statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}), "
              f"{statistics.median(cpu for _, cpu in measured):.2f} s of processor time; {ratio:.2f} of cp's speed")


if __name__ == "__main__":
    main()
