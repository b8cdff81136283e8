"""PostgreSQL's write-ahead log on a small disc of its own."""

import os
import shutil
import subprocess

from people import wait_until
from small_disc import SmallDisc

SPARE_BYTES = 40 * 1024 * 1024
FILLS_S = 60.0
# Each turn ends a segment of 16 MB; those that are kept for reuse last for a few turns.
NEXT_SEGMENT = "select pg_logical_emit_message(false, 'chaos', 'x'), pg_switch_wal()"


class WalOnSmallDisc:
    """Moves pg_wal there and, at the end, back. PostgreSQL restarts for both, in order."""

    def __init__(self, suite):
        self._suite = suite
        self._wal = suite.state / "data" / "postgres" / "pg_wal"
        self._aside = self._wal.with_name("pg_wal.on-disc")
        self._disc = None

    def __enter__(self):
        self._suite.stop("postgres")
        used = sum(file.stat().st_size for file in self._wal.rglob("*") if file.is_file())
        owner = self._wal.stat()
        self._wal.rename(self._aside)
        self._wal.mkdir(0o700)
        self._disc = SmallDisc(self._wal, used + SPARE_BYTES)
        self._copy(self._aside, self._wal)
        os.chown(self._wal, owner.st_uid, owner.st_gid)
        os.chmod(self._wal, 0o700)
        self._suite.start("postgres")
        return self

    def __exit__(self, *raised):
        self._disc.free()
        self._suite.supervise("stop", self._suite.program("postgres"), check=False)
        shutil.rmtree(self._aside)
        self._aside.mkdir(0o700)
        self._copy(self._wal, self._aside)
        shutil.copystat(self._wal, self._aside)
        owner = self._wal.stat()
        os.chown(self._aside, owner.st_uid, owner.st_gid)
        self._disc.unmount()
        self._wal.rmdir()
        self._aside.rename(self._wal)
        self._suite.start("postgres")

    def fill(self):
        """Until the server has ended for want of room, and cannot even recover."""
        before = self._suite.pid("postgres")
        self._disc.fill()
        stopped = wait_until(lambda: not self._next_segment(), FILLS_S, 0)
        assert stopped, "the write-ahead log still has room"
        ended = wait_until(lambda: self._suite.pid("postgres") != before, FILLS_S)
        assert ended, "the server recovered without room"

    def free(self):
        self._disc.free()

    def _next_segment(self):
        secret = (self._suite.state / "secrets" / "postgres-postgres").read_text()
        where = ["-h", "127.0.0.1", "-p", str(self._suite.port_base + 60), "-U", "postgres"]
        done = subprocess.run(
            ["psql", "-X", "-q", *where, "-c", NEXT_SEGMENT],
            env={**os.environ, "PGPASSWORD": secret},
            capture_output=True,
            text=True,
            timeout=30,
        )
        return done.returncode == 0

    def _copy(self, source, target):
        """Everything in it, with its owners."""
        command = ["cp", "-a", f"{source}/.", str(target)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
