"""A frozen server stands still with all its processes, and goes on by itself."""

import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "backbone")]

from nodes import wait_until  # noqa: E402
from server_freeze import ServerFreezes, children_of  # noqa: E402

LONG_S, SHORT_S, WAIT_S = 600, 2.0, 20


class Suite:
    """With one server, that has a child."""

    def __init__(self):
        self.server = subprocess.Popen(
            ["bash", "-c", f"sleep {LONG_S} & wait"], start_new_session=True
        )
        wait_until(lambda: children_of(self.server.pid), WAIT_S, "a child")

    def pid(self, server):
        return self.server.pid if server == "there" else None

    def states(self):
        every = [self.server.pid, *children_of(self.server.pid)]
        return [pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][1] for pid in every]

    def wait_for(self, state):
        wait_until(lambda: self.states() == [state] * 2, WAIT_S, state)


@pytest.fixture
def suite():
    made = Suite()
    yield made
    for child in children_of(made.server.pid):
        subprocess.run(["kill", "-9", str(child)])
    made.server.kill()
    made.server.wait()


def test_all_of_it_stops_and_goes_on_by_itself(suite):
    freezes = ServerFreezes(suite)
    freezes.freeze("there", SHORT_S)
    suite.wait_for("T")
    suite.wait_for("S")


def test_it_is_woken_before_its_time(suite):
    freezes = ServerFreezes(suite)
    freezes.freeze("there", LONG_S)
    suite.wait_for("T")
    freezes.thaw_all()
    suite.wait_for("S")


def test_a_server_that_is_down_is_left_alone(suite):
    freezes = ServerFreezes(suite)
    freezes.freeze("away", LONG_S)
    freezes.thaw("away")
    suite.wait_for("S")
