"""The story of the demo, asserted; and the demo as a person calls it."""

import json
import pathlib
import subprocess
import sys

from narrator import Narrator
from story import play

STORY = pathlib.Path(__file__).parent / "story.py"


def failures(narrator):
    return [f"step {step.number}: {step.failure}" for step in narrator.steps if step.failure]


def test_the_whole_story(gateway, sandbox, options):
    narrator = Narrator(quiet=True)
    play(options, narrator)
    assert failures(narrator) == []
    assert len(narrator.steps) == 6


def run_demo(suite, *arguments):
    command = [sys.executable, str(STORY), "--base", suite.base, "--sandbox", suite.sandbox_url]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120)


def test_the_demo_for_machines(suite, gateway, sandbox):
    done = run_demo(suite, "--prometheus", suite.prometheus, "--ctl", suite.ctl, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["ok"] is True
    assert all(step["hops"] for step in told["steps"])
    assert "look" in told


def test_a_failing_step_says_what_it_saw(suite, gateway, sandbox):
    done = run_demo(suite, "--marketing-key", "rlk_" + "0" * 43, "--prometheus", suite.prometheus)
    assert done.returncode == 1
    assert "Step 5 failed: expected POST /v1/campaigns to answer 202; saw 401" in done.stdout
