"""A mounted file system whose disk records what is written (recording_disk.py): nbdkit is the disk,
nbdfuse makes it a file, a loop device makes that a disk again. No kernel module is needed; root is."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "api"))

from server_process import wait_until  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
# XFS makes none smaller than 300 MB. What was never written takes no room.
FILE_SYSTEMS = {
    "ext4": (64 << 20, ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"]),
    "xfs": (300 << 20, ["mkfs.xfs", "-q", "-f"]),
}


def missing(kind):
    """Why the rig can't be used here; None when it can."""
    if os.geteuid() != 0:
        return "mounting wants root"
    for program in ("nbdkit", "nbdfuse", "losetup", "mount", FILE_SYSTEMS[kind][1][0]):
        if not shutil.which(program):
            return f"no {program} (scripts/install_deps.sh deep)"
    for device in ("/dev/fuse", "/dev/loop-control"):
        if not os.path.exists(device):
            return f"no {device}"
    if subprocess.run(["nbdkit", "--dump-plugin", "python"], capture_output=True).returncode != 0:
        return "no Python plugin of nbdkit (scripts/install_deps.sh deep)"
    return None


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()


def unmount(folder):
    """The last file may be closed a moment after its process was killed."""

    def tried():
        return subprocess.run(["umount", folder], capture_output=True).returncode == 0

    wait_until(tried)


def make_file_system(kind, path):
    size, command = FILE_SYSTEMS[kind]
    with open(path, "wb") as file:
        file.truncate(size)
    run(*command, path)


class RecordedDevice:
    """`folder` is mounted until close(). `before` is an image of what was on the disk at first."""

    def __init__(self, kind):
        self.work = tempfile.mkdtemp(prefix="akidb-block-")
        self.before = os.path.join(self.work, "before")
        self.disk = os.path.join(self.work, "disk")
        self.record = os.path.join(self.work, "record")
        self.folder = os.path.join(self.work, "mounted")
        self.exported = os.path.join(self.work, "exported")
        self.processes = []
        self.loop = None
        self.mounted = False
        try:
            make_file_system(kind, self.before)
            run("cp", "--sparse=always", self.before, self.disk)
            self._attach()
        except BaseException:
            self.close()
            raise

    def position(self):
        """How much has been recorded. What a client learns afterwards depends on nothing later."""
        return os.stat(self.record).st_size

    def close(self):
        if self.mounted:
            unmount(self.folder)
            self.mounted = False
        if self.loop:
            run("losetup", "-d", self.loop)
            self.loop = None
        if os.path.ismount(self.exported):
            unmount(self.exported)  # which ends nbdfuse
        for process in self.processes:
            process.terminate()
            process.wait()
        self.processes = []

    def remove(self):
        self.close()
        shutil.rmtree(self.work, ignore_errors=True)

    def _attach(self):
        socket = os.path.join(self.work, "socket")
        os.mkdir(self.exported)
        os.mkdir(self.folder)
        plugin = str(HERE / "recording_disk.py")
        files = [f"disk={self.disk}", f"record={self.record}"]
        self._start(["nbdkit", "-f", "--unix", socket, "python", plugin, *files])
        wait_until(lambda: os.path.exists(socket))
        file = os.path.join(self.exported, "disk")
        self._start(["nbdfuse", file, "--unix", socket])
        wait_until(lambda: os.path.exists(file))
        self.loop = run("losetup", "-f", "--show", file)
        run("mount", self.loop, self.folder)
        self.mounted = True

    def _start(self, command):
        # Of its own session: Ctrl-C is for the one who unmounts first.
        self.processes.append(subprocess.Popen(command, start_new_session=True))


class MountedImage:
    """An image of a disk, mounted as the next start would after a power cut."""

    def __init__(self, path, folder):
        self.folder = folder
        run("mount", "-o", "loop", path, folder)

    def __enter__(self):
        return self.folder

    def __exit__(self, *_):
        unmount(self.folder)
