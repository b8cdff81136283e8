"""The API against its OpenAPI document: schemathesis, all phases and checks, no failure."""

from api_fuzzing import fuzz, register_callers


def test_the_api_does_what_its_document_says(suite, gateway, marketing_key, tmp_path):
    people = register_callers(gateway)
    done = fuzz(suite, people, marketing_key, tmp_path)
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-5000:]
