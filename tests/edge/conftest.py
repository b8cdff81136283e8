"""What the tests of the edge share: an origin and the real gateway in front of it."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import proxies  # noqa: E402
from origin import Origin  # noqa: E402


@pytest.fixture(scope="module")
def origin():
    with Origin() as made:
        yield made


@pytest.fixture(scope="module")
def running_gateway(origin):
    with proxies.gateway(origin) as made:
        yield made
        assert made.runs and not made.complaints()


@pytest.fixture
def gateway(running_gateway, origin):
    origin.clear()
    yield running_gateway
    assert running_gateway.runs
