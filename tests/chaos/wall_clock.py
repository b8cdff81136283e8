"""The wall clock as the services see it, set while they run; their monotonic clock goes on."""

import contextlib
import pathlib
import tempfile

from people import wait_until
from samples import samples
from suite import SERVICES

LIBRARIES = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
SEEN_S = 10.0


class ClockFiles:
    """One file a program, with how far its clock is from everybody else's."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)

    def set(self, name, offset_s):
        """Written and moved: nobody reads half of it."""
        written = self._folder / f"{name}.new"
        written.write_text(f"{offset_s:+d}\n")
        written.replace(self._folder / name)

    def variables(self, name):
        """What a program's environment needs."""
        return {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "FAKETIME_TIMESTAMP_FILE": str(self._folder / name),
        }


def forget_faked(pid):
    """What libfaketime leaves behind of a process that was killed."""
    for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
        pathlib.Path("/dev/shm", name).unlink(missing_ok=True)


class WallClock:
    """The clocks of the services."""

    def __init__(self, chaos, files):
        self._chaos = chaos
        self._files = files
        for service in SERVICES:
            self._files.set(service, 0)

    def set(self, offset_s, services=SERVICES):
        whose = "all services" if services is SERVICES else " and ".join(services)
        self._chaos.inject(f"the wall clock of {whose} is set to {offset_s:+d} s")
        for service in services:
            self._files.set(service, offset_s)


@contextlib.contextmanager
def settable_wall_clock(chaos):
    """All services run on a clock that set() moves, as long as the context lasts."""
    assert LIBRARIES, "libfaketime is not installed"
    with tempfile.TemporaryDirectory() as folder:
        files = ClockFiles(folder)
        clock = WallClock(chaos, files)
        changes = {
            service: {**files.variables(service), "FAKETIME_NO_CACHE": "1"} for service in SERVICES
        }
        with chaos.changed_all(changes):
            yield clock


def process_times(chaos):
    """{service: what it believes to be the time}, from the metric that it sets when asked."""
    return {service: _time_of(chaos, service) for service in SERVICES}


def _time_of(chaos, service):
    found = samples(chaos.suite, service, "process_wall_clock_timestamp_seconds")
    return found[0][1] if found else 0.0


def wait_for_times(chaos, right):
    return wait_until(lambda: all(map(right, process_times(chaos).values())), SEEN_S)
