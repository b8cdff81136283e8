"""The API against its OpenAPI document: schemathesis, all phases and checks, no failure."""

import json
import os
import pathlib
import subprocess
import sys
import uuid

from people import Person

FOLDER = pathlib.Path(__file__).parent / "openapi"


def register(gateway, locale):
    person = Person(locale, uuid.uuid4().hex[:8])
    answer = gateway.post("/v1/accounts", person.registration(), key=True)
    assert answer.status == 202, answer.describe()
    return {"email": person.email, "password": person.password}


def test_the_api_does_what_its_document_says(suite, gateway, marketing_key, tmp_path):
    people = [register(gateway, "nl"), register(gateway, "fr")]
    environment = {
        **os.environ,
        "PYTHONPATH": str(FOLDER),  # where schemathesis imports the hooks from
        "RELAIS_OPENAPI_BASE": suite.base,
        "RELAIS_OPENAPI_PEOPLE": json.dumps(people),
        "RELAIS_OPENAPI_MARKETING_KEY": marketing_key,
    }
    program = pathlib.Path(sys.executable).with_name("schemathesis")
    command = [program, f"--config-file={FOLDER / 'schemathesis.toml'}", "run", "--checks=all"]
    done = subprocess.run(
        [*command, f"{suite.base}/v1/openapi.json"],
        cwd=tmp_path,  # it keeps notes of what it tried
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-5000:]
