"""A small disc of its own, that can be filled and freed: a tmpfs, which root mounts."""

import errno
import os
import pathlib
import subprocess

PIECE = b"\0" * 65536
AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]


class SmallDisc:
    """Mounted on the folder until unmount(). like: a file or folder whose owner shall have it."""

    def __init__(self, folder, size_bytes, like=None):
        self.folder = pathlib.Path(folder)
        self._filler = self.folder / ".filler"
        whose = os.stat(like) if like else None
        uid, gid = (whose.st_uid, whose.st_gid) if whose else (os.geteuid(), os.getegid())
        owner = f"uid={uid},gid={gid}"
        options = f"size={size_bytes},mode=0755,{owner}"
        as_root("mount", "-t", "tmpfs", "-o", options, "relais-chaos", str(self.folder))

    def fill(self):
        """To the last byte."""
        with open(self._filler, "ab", buffering=0) as filler:
            piece = PIECE
            while piece:
                try:
                    written = filler.write(piece)
                except OSError as problem:
                    assert problem.errno == errno.ENOSPC, problem
                    written = 0
                if not written:
                    piece = piece[: len(piece) // 2]

    def free(self):
        self._filler.unlink(missing_ok=True)

    def free_bytes(self):
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def unmount(self):
        as_root("umount", str(self.folder))


def as_root(*command):
    done = subprocess.run([*AS_ROOT, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
