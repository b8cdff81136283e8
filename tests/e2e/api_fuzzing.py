"""Schemathesis against the gateway, with three callers: somebody who posts jobs, somebody who makes
offers, and marketing's API key (openapi/hooks.py)."""

import json
import os
import pathlib
import subprocess
import sys
import uuid

from people import Person, expect

FOLDER = pathlib.Path(__file__).parent / "openapi"
LEAVING = 8  # people whose sessions are thrown away


def register(gateway, locale):
    person = Person(locale, uuid.uuid4().hex[:8])
    answer = gateway.post("/v1/accounts", person.registration(), key=True)
    expect(answer, 202, "POST /v1/accounts")
    return {"email": person.email, "password": person.password}


def register_callers(gateway):
    """Who posts jobs, who makes offers, and those whose sessions are thrown away."""
    return [register(gateway, locale) for locale in ("nl", "fr", *["en"] * LEAVING)]


def fuzz(suite, people, marketing_key, folder, *arguments, document=None, hostile=False):
    """One run with every check. document: an OpenAPI file, else the one that the API serves.
    folder: where it may keep notes of what it tried. hostile: nothing that would be taken is sent.
    Returns the completed process."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(FOLDER),  # where schemathesis imports the hooks from
        "RELAIS_OPENAPI_BASE": suite.base,
        "RELAIS_OPENAPI_PEOPLE": json.dumps(people),
        "RELAIS_OPENAPI_MARKETING_KEY": marketing_key,
        "RELAIS_OPENAPI_HOSTILE": "yes" if hostile else "",
    }
    program = pathlib.Path(sys.executable).with_name("schemathesis")
    command = [program, f"--config-file={FOLDER / 'schemathesis.toml'}", "run", "--checks=all"]
    where = [f"{suite.base}/v1/openapi.json"]
    if document:
        where = [str(document), f"--url={suite.base}"]
    return subprocess.run(
        [*command, *arguments, *where],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
