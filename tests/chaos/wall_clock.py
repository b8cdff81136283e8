"""The wall clock as the services see it, set while they run; their monotonic clock goes on."""

import contextlib
import pathlib
import subprocess
import tempfile

from people import wait_until
from samples import samples
from suite import SERVICES

LIBRARIES = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
TRUE_TIMESPEC = pathlib.Path(__file__).with_name("true_timespec.c")
SEEN_S = 10.0


class WallClock:
    """One file a service, with how far its clock is from everybody else's."""

    def __init__(self, chaos, folder):
        self._chaos = chaos
        self._folder = folder
        for service in SERVICES:
            self._write(service, 0)

    def set(self, offset_s, services=SERVICES):
        whose = "all services" if services is SERVICES else " and ".join(services)
        self._chaos.inject(f"the wall clock of {whose} is set to {offset_s:+d} s")
        for service in services:
            self._write(service, offset_s)

    def file(self, service):
        return self._folder / service

    def _write(self, service, offset_s):
        """Written and moved: nobody reads half of it."""
        written = self._folder / f"{service}.new"
        written.write_text(f"{offset_s:+d}\n")
        written.replace(self.file(service))


@contextlib.contextmanager
def settable_wall_clock(chaos):
    """All services run on a clock that set() moves, as long as the context lasts."""
    assert LIBRARIES, "libfaketime is not installed"
    with tempfile.TemporaryDirectory() as folder:
        clock = WallClock(chaos, pathlib.Path(folder))
        common = {
            "LD_PRELOAD": f"{_true_timespec(folder)}:{LIBRARIES[0]}",
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        changes = {
            service: {**common, "FAKETIME_TIMESTAMP_FILE": clock.file(service)}
            for service in SERVICES
        }
        with chaos.changed_all(changes):
            yield clock


def _true_timespec(folder):
    """Compiles it; says where it is."""
    library = pathlib.Path(folder) / "true_timespec.so"
    command = ["clang-19", "-shared", "-fPIC", "-o", str(library), str(TRUE_TIMESPEC)]
    subprocess.run(command, check=True, timeout=60)
    return library


def process_times(chaos):
    """{service: what it believes to be the time}, from the metric that it sets when asked."""
    return {service: _time_of(chaos, service) for service in SERVICES}


def _time_of(chaos, service):
    found = samples(chaos.suite, service, "process_wall_clock_timestamp_seconds")
    return found[0][1] if found else 0.0


def wait_for_times(chaos, right):
    return wait_until(lambda: all(map(right, process_times(chaos).values())), SEEN_S)
