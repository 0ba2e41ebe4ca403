#!/usr/bin/env python3
"""Cuts the power of a real file system while the real server writes to it: what its disk was told to
write is recorded, images of what may have survived are mounted, and the server must find in each all
that was acknowledged before the cut, no batch in halves, and take writes again.

    block_test.py [--images N] [--file-system ext4|xfs|both] [--seed N] [--prove]

AKIDB_DEEP=1 makes 500 images and proves; without it, --images and --prove the test is skipped, as it is
where the rig is missing (root, nbdkit with its Python plugin, nbdfuse). AKIDB_TEST_SEED sets the seed,
which is printed. --prove seeds two faults and expects each to be noticed: a server whose syncs do
nothing, and a disk that forgets about flushes.
"""

import argparse
import math
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[0]))
sys.path.insert(0, str(HERE.parents[1] / "api"))

from crash_images import CrashImages  # noqa: E402
from kill_test import COLLECTION, IDS_PER_WRITER, SCHEMA, WRITERS, Writer, stored_points, wrong_vectors  # noqa: E402
from recorded_device import MountedImage, RecordedDevice, missing  # noqa: E402
from server_process import Server, wait_until  # noqa: E402

SKIPPED = 77
IMAGES_PER_RECORDING = 100
WRITES_PER_RECORDING = 300
IDS_OF_NO_WRITER = WRITERS * IDS_PER_WRITER
# A small head, so that cuts also fall into sealing, merging and the change of logs.
ENVIRONMENT = {"AKIDB_HEAD_ROWS_MAX": "150"}


class RecordedWriter(Writer):
    """Knows its state after each of its writes, and where the record was before and after it."""

    def __init__(self, number, seed, device):
        super().__init__(number, seed)
        self.device = device
        self.history = [(0, 0, {})]  # record at the request, at the answer, state

    def step(self, connection):
        begun = self.device.position()
        answered = math.inf
        try:
            goes_on = super().step(connection)
            if goes_on:
                answered = self.device.position()
            return goes_on
        finally:
            state = self.in_flight if answered == math.inf else self.acknowledged
            self.history.append((begun, answered, state))

    def possible_states(self, position):
        """After a cut there: that of the last write which was acknowledged, or of the one under way."""
        last = max(i for i, (_, answered, _) in enumerate(self.history) if answered <= position)
        return [state for begun, _, state in self.history[last : last + 2] if begun <= position]


class Recording:
    """One life of a server on a recorded disk, cut short."""

    def __init__(self, kind, chance, environment):
        self.device = RecordedDevice(kind)
        try:
            self.writers = [
                RecordedWriter(number, chance.getrandbits(32), self.device) for number in range(WRITERS)
            ]
            self.begun = self.device.position()
            self._live(environment)
        except BaseException:
            self.device.remove()
            raise

    def _live(self, environment):
        server = Server(os.path.join(self.device.folder, "data"), environment=environment)
        try:
            server.start()
            created = server.request("PUT", f"/collections/{COLLECTION}", SCHEMA)
            assert created.status == 200, created.text
            self.created = self.device.position()
            for writer in self.writers:
                writer.run_until_killed(server.port)

            def wrote_enough():
                return sum(w.acknowledged_count for w in self.writers) >= WRITES_PER_RECORDING or any(
                    w.failure for w in self.writers
                )

            wait_until(wrote_enough, timeout_s=300)
            self.until = self.device.position()
        finally:
            server.kill()
            for writer in self.writers:
                if writer.is_alive():
                    writer.join()
            server.close()
        failures = [w.failure for w in self.writers if w.failure]
        if failures:
            raise AssertionError(f"a write failed while it was recorded: {failures[0]}")
        self.device.close()


def check(server, recording, position):
    """The complaint, or None."""
    exists = server.request("GET", f"/collections/{COLLECTION}/exists").result["exists"]
    if not exists:
        return "the collection is gone" if recording.created <= position else None
    points = stored_points(server)
    for writer in recording.writers:
        base = writer.number * IDS_PER_WRITER
        found = {id: state for id, (state, _) in points.items() if base <= id < base + IDS_PER_WRITER}
        if found not in writer.possible_states(position):
            expected = writer.possible_states(position)[0]
            wrong = {
                id: (expected.get(id), found.get(id))
                for id in sorted(set(found) | set(expected))
                if found.get(id) != expected.get(id)
            }
            return f"writer {writer.number}: id: (acknowledged, found) {wrong}"
    if wrong := wrong_vectors(points):
        return wrong
    point = Writer.point(IDS_OF_NO_WRITER, 1)
    written = server.request("PUT", f"/collections/{COLLECTION}/points?wait=true", {"points": [point]})
    return None if written.status == 200 else f"a write afterwards: {written.status} {written.text}"


def check_image(recording, image, position):
    folder = os.path.join(recording.device.work, "restarted")
    os.makedirs(folder, exist_ok=True)
    with MountedImage(image, folder):
        server = Server(os.path.join(folder, "data"), environment=ENVIRONMENT)
        try:
            server.start()
            complaint = check(server, recording, position)
            return complaint and f"{complaint}\nserver log:\n{server.log()[-3000:]}"
        except (RuntimeError, AssertionError) as error:
            return f"{error}\nserver log:\n{server.log()[-3000:]}"
        finally:
            server.close()


def cut_recording(recording, images, chance, deaf=False):
    """How many images were checked, and the first complaint."""
    made = CrashImages(recording.device, recording.until, deaf)
    path = os.path.join(recording.device.work, "image")
    try:
        entries = made.entries
        first = sum(1 for e in entries if e.end <= recording.begun)
        cuts = sorted(chance.sample(range(first, len(entries) + 1), min(images, len(entries) + 1 - first)))
        for number, cut in enumerate(cuts, 1):
            survived = made.make(cut, path, chance)
            position = entries[cut - 1].end if cut > 0 else 0
            complaint = check_image(recording, path, position)
            if complaint:
                return number, f"cut before entry {cut} of {len(entries)}, {survived}: {complaint}"
        return len(cuts), None
    finally:
        made.close()


def run_rounds(kind, images, chance):
    done, begun = 0, time.monotonic()
    while done < images:
        seed = chance.getrandbits(32)
        recording = Recording(kind, random.Random(seed), ENVIRONMENT)
        try:
            wanted = min(IMAGES_PER_RECORDING, images - done)
            checked, complaint = cut_recording(recording, wanted, random.Random(seed + 1))
        finally:
            recording.device.remove()
        done += checked
        if complaint:
            print(f"{kind}, image {done}: {complaint}")
            return False
        print(f"{kind}: {done} of {images} images, {time.monotonic() - begun:.0f} s", flush=True)
    return True


def proves(kind, chance):
    folder = tempfile.mkdtemp(prefix="akidb-shim-")
    try:
        shim = os.path.join(folder, "dropped_syncs.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, str(HERE / "dropped_syncs.c")], check=True)
        for name, environment, deaf in (
            ("syncs that do nothing", {**ENVIRONMENT, "LD_PRELOAD": shim}, False),
            ("a disk that forgets about flushes", ENVIRONMENT, True),
        ):
            recording = Recording(kind, chance, environment)
            try:
                checked, complaint = cut_recording(recording, IMAGES_PER_RECORDING, chance, deaf)
            finally:
                recording.device.remove()
            if not complaint:
                print(f"{kind}: {name}: not noticed in {checked} images")
                return False
            print(f"{kind}: {name}: noticed by image {checked}: {complaint[:100]}…", flush=True)
    finally:
        shutil.rmtree(folder)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    deep = bool(os.environ.get("AKIDB_DEEP"))
    parser.add_argument("--images", type=int, default=500 if deep else 0)
    parser.add_argument("--file-system", choices=("ext4", "xfs", "both"), default="both")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("AKIDB_TEST_SEED") or time.time_ns() % 2**32))
    parser.add_argument("--prove", action="store_true", default=deep)
    options = parser.parse_args()
    kinds = ("ext4", "xfs") if options.file_system == "both" else (options.file_system,)
    if not options.images and not options.prove:
        print("skipped: AKIDB_DEEP=1 or --images N runs it")
        return SKIPPED
    for kind in kinds:
        if missing(kind):
            print(f"skipped: {kind}: {missing(kind)}")
            return SKIPPED
    print(f"seed {options.seed}", flush=True)
    chance = random.Random(options.seed)
    for kind in kinds:
        if options.prove and not proves(kind, chance):
            return 1
        if not run_rounds(kind, options.images // len(kinds), chance):
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
