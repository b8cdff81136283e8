"""The names of variables in docker-compose.yml and the images are those that the programs read."""

import base64
import re

import pytest

from support import (
    PROGRAMS,
    ROOT,
    SERVICES,
    composition,
    described_variables,
    environment_of,
    run,
)

COMPOSED = composition.load()
# Read by scripts and Python programs of ours, which do not describe themselves.
SCRIPTS = {
    "setup": ("deploy/docker/setup-step", "deploy/objectstore/buckets.py"),
    "sandbox": ("tests/sandbox/relais_sandbox/__main__.py",),
    "store": ("deploy/docker/store", "deploy/dev/environment.sh"),
}


@pytest.mark.parametrize("service", SERVICES)
def test_every_variable_is_one_that_the_service_reads(service):
    known = described_variables(service)
    assert set(environment_of(service, COMPOSED)) <= set(known)


@pytest.mark.parametrize("service", SERVICES)
def test_what_differs_from_the_default_of_one_machine_is_set(service):
    """A default that names this machine is no address in a container."""
    given = environment_of(service, COMPOSED)
    for name, form in described_variables(service).items():
        if "default: " in form and "127.0.0.1" in form and "SMTP" not in name:
            assert name in given, name


# The image holds a build tree's programs and files under this folder.
INSTALLED, BUILT = "/opt/relais/", f"{PROGRAMS.parent}/"


@pytest.mark.parametrize("service", SERVICES)
def test_the_configuration_is_complete(service, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(base64.urlsafe_b64encode(bytes(32)).decode().rstrip("="))
    environment = {
        name: str(secret) if name.endswith("_FILE") else value.replace(INSTALLED, BUILT)
        for name, value in environment_of(service, COMPOSED).items()
    }
    said = run(PROGRAMS / f"relais-{service}", "--check-config", env=environment)
    assert "ok" in said


@pytest.mark.parametrize(
    "name", [n for n, s in COMPOSED.items() if s["image"] == "relais/relaisctl"]
)
def test_variables_of_relaisctl_are_in_its_source(name):
    source = "".join(path.read_text() for path in (ROOT / "services/ctl").glob("*.cpp"))
    for variable in composition.environment_of(COMPOSED[name]):
        assert f'"{variable}"' in source, variable


@pytest.mark.parametrize("name", [n for n, s in COMPOSED.items() if s["image"][7:] in SCRIPTS])
def test_variables_of_scripts_are_in_their_source(name):
    source = "".join((ROOT / path).read_text() for path in SCRIPTS[COMPOSED[name]["image"][7:]])
    for variable in environment_of(name, COMPOSED):
        if variable.startswith("RELAIS_"):
            assert variable in source, variable


def test_each_secret_file_is_one_that_the_setup_gives():
    script = (ROOT / "deploy/docker/setup-step").read_text().replace("\\\n", " ")
    given = {
        (words[0], name)
        for words in (line.split() for line in re.findall(r"^ +give (.*)$", script, re.MULTILINE))
        for name in words[1:]
    }
    programs = {f"secrets-{name}": name for name, _ in given}
    for name, service in COMPOSED.items():
        holds = [programs.get(source) for source, _, _ in composition.volumes_of(service)]
        for variable, value in composition.environment_of(service).items():
            if variable.endswith("_FILE") and value.count("/") == 2:
                assert any((each, value.split("/")[2]) in given for each in holds), (name, value)
