"""What the end-to-end tests share: the running suite, the sandbox, a marketing key."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from http_client import Gateway, Sandbox  # noqa: E402
from story import make_marketing_key, parse_arguments  # noqa: E402
from suite import Suite  # noqa: E402


@pytest.fixture(scope="session")
def suite():
    return Suite()


@pytest.fixture(scope="session")
def marketing_key(suite):
    return make_marketing_key(suite.ctl)


@pytest.fixture
def sandbox(suite):
    """The sandbox without faults and with full rate limits; the same again afterwards."""
    made = Sandbox(suite.sandbox_url)

    def calm():
        made.call("DELETE", "/faults")
        made.post("/rate-limits", {"on": True})

    calm()
    yield made
    calm()


@pytest.fixture
def gateway(suite):
    suite.ensure_all()
    yield Gateway(suite.base)
    suite.ensure_all()


@pytest.fixture
def options(suite, marketing_key):
    """As the demo would be called against this suite."""
    return parse_arguments(
        [
            f"--base={suite.base}",
            f"--sandbox={suite.sandbox_url}",
            f"--prometheus={suite.prometheus}",
            f"--marketing-key={marketing_key}",
        ]
    )
