"""The event contracts: what is here keeps what was accepted, and a change that breaks is noticed."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def contracts(tmp_path):
    """A copy of proto/ with a function that runs its script."""
    tree = tmp_path / "proto"
    shutil.copytree(ROOT / "proto", tree)
    tools = pathlib.Path(sys.executable).parent

    class Copy:
        path = tree

        @staticmethod
        def run(command):
            return subprocess.run(
                [sys.executable, tree / "contracts", command],
                capture_output=True,
                text=True,
                env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
            )

        @staticmethod
        def change(file, old, new):
            target = tree / file
            text = target.read_text()
            assert old in text
            target.write_text(text.replace(old, new, 1))

    return Copy


EVENTS = "relais/market/v1/job_events.proto"


def test_what_is_here_is_as_accepted(contracts):
    done = contracts.run("check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_additional_field_is_fine(contracts):
    contracts.change(EVENTS, "  string locality = 4;", "  string locality = 4;\n  string note = 6;")
    done = contracts.run("check")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (EVENTS, "string locality = 4;", "uint32 locality = 4;", "locality"),
        (EVENTS, "string locality = 4;", "", "locality"),
        (EVENTS, "string locality = 4;", "string locality = 9;", "locality"),
        (EVENTS, "string locality = 4;", "string town = 4;", "town"),
        (EVENTS, "message OfferMade {", "message OfferPlaced {", "OfferMade"),
        (EVENTS, '.key) = "job_id";', '.key) = "requester_id";', "key of"),
        (EVENTS, '"market.job.events.v1"', '"market.offer.events.v1"', "topic of"),
        ("topics.textproto", "partitions: 12", "partitions: 24", "partitions of"),
        ("topics.textproto", 'producer: "web-api"', 'producer: "upload"', "producer of"),
        ("topics.textproto", "identity.account.events.v1", "identity.account.events.v2", "is gone"),
        (EVENTS, "string locality = 4;", "string locality = 4; string Camel = 7;", "Camel"),
    ],
)
def test_what_breaks_consumers_is_refused(contracts, file, old, new, said):
    contracts.change(file, old, new)
    done = contracts.run("check")
    assert done.returncode != 0
    assert said in done.stdout + done.stderr


def test_only_a_deliberate_command_accepts_a_break(contracts):
    contracts.change(EVENTS, "string locality = 4;", "uint32 locality = 4;")
    assert contracts.run("check").returncode != 0
    assert contracts.run("accept").returncode == 0
    assert contracts.run("check").returncode == 0


def test_what_the_lint_refuses_cannot_be_accepted(contracts):
    contracts.change(EVENTS, "string locality = 4;", "string Locality = 4;")
    before = (contracts.path / "image.binpb").read_bytes()
    assert contracts.run("accept").returncode != 0
    assert (contracts.path / "image.binpb").read_bytes() == before
