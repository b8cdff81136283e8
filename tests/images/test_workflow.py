"""The workflow of the forge: valid, and what it runs is what a developer runs."""

import re

import yaml

from support import ROOT, run, shell, tool

FILE = ".github/workflows/test.yml"
WORKFLOW = yaml.safe_load((ROOT / FILE).read_text())
JOB = WORKFLOW["jobs"]["test"]


def test_it_follows_the_schema():
    run(tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", FILE)


def test_its_shell_lines_are_clean(tmp_path):
    for number, step in enumerate(JOB["steps"]):
        if "run" in step:
            file = tmp_path / f"{number}.sh"
            file.write_text("#!/bin/sh -e\n" + step["run"])
            run("shellcheck", file)


def test_it_runs_the_tests_on_each_supported_release():
    assert "./relais test" in [step.get("run") for step in JOB["steps"]]
    assert JOB["container"]["image"] == "debian:${{ matrix.debian }}"
    supported = re.findall(r"debian (\d+)", shell("cat deploy/setup.d/packages.sh; echo debian 12"))
    assert set(JOB["strategy"]["matrix"]["debian"]) == set(supported)


def test_it_may_only_read():
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_actions_have_a_version():
    for step in JOB["steps"]:
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/none@v1"))
