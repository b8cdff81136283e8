"""Wrong or missing configuration: everything at once, exit code 1, no secret printed."""

import os
import subprocess

import pytest

from suite import SERVICES

SECRET = "this-must-never-be-printed"
SECRETS = {
    "gateway": ["RELAIS_IDENTITY_PRIVATE_KEY"],
    "web-api": ["RELAIS_MAIL_TOKEN_KEY"],
    "upload": ["RELAIS_S3_SECRET_KEY"],
    "notification": ["RELAIS_MAIL_TOKEN_KEY", "RELAIS_MAILJET_SECRET"],
    "mailing-list-sync": ["RELAIS_BREVO_KEY"],
}


def run(suite, service, *arguments, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RELAIS_")}
    program = str(suite.binaries / f"relais-{service}")
    return subprocess.run(
        [program, *arguments],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=20,
    )


@pytest.mark.parametrize("service", SERVICES)
def test_all_errors_at_once(suite, service):
    wrong = {
        "RELAIS_LISTEN": "nonsense",
        "RELAIS_ADMIN_LISTEN": "127.0.0.1:70000",
        "RELAIS_LOG_LEVEL": "loud",
        "RELAIS_DRAIN_DELAY": "soon",
    }
    secrets = dict.fromkeys(SECRETS[service], SECRET)
    done = run(suite, service, **wrong, **secrets)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    for name in wrong:
        assert name in said, said
    assert SECRET not in said


@pytest.mark.parametrize("service", SERVICES)
def test_check_config_starts_nothing(suite, service):
    done = run(suite, service, "--check-config", RELAIS_LISTEN="nonsense")
    assert done.returncode == 1
    assert "RELAIS_LISTEN" in done.stdout + done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_help_and_usage(suite, service):
    described = run(suite, service, "--help-config")
    assert described.returncode == 0
    assert "RELAIS_LISTEN" in described.stdout
    assert run(suite, service, "--unheard").returncode == 2
    assert run(suite, service, "--version").returncode == 0
