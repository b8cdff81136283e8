"""Uploads as rows make them: a picture, a grant, sending, completing, waiting; and what lies in the
bucket afterwards."""

import hashlib

import http_client
import picture
from arrivals import expect_one_mail, log_in, register, validate
from people import expect, wait_until


def owner(chaos):
    """Somebody who may upload."""
    person, _ = register(chaos.gateway)
    expect_one_mail(chaos.sandbox, person)
    validate(chaos.gateway, chaos.sandbox, person)
    log_in(chaos.gateway, person)
    return person


def ask_grant(chaos, person, content, content_type="image/png"):
    """The answer to POST /v1/uploads."""
    wanted = {
        "purpose": "avatar",
        "content_type": content_type,
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return chaos.gateway.post("/v1/uploads", wanted, person.token, key=True)


def send(grant, content):
    """Straight to the store; the answer."""
    put = grant["put"]
    return http_client.send(put["method"], put["url"], content, put["headers"])


def complete(chaos, person, upload_id):
    path = f"/v1/uploads/{upload_id}/completion"
    return chaos.gateway.post(path, {}, person.token, key=True)


def state(chaos, person, upload_id):
    """What GET /v1/uploads/{id} shows."""
    answer = chaos.gateway.get(f"/v1/uploads/{upload_id}", person.token)
    return expect(answer, 200, "GET /v1/uploads/{id}")


def upload(chaos, person, content):
    """Grant, bytes, completion. Returns the upload's id."""
    grant = expect(ask_grant(chaos, person, content), 201, "POST /v1/uploads")
    stored = send(grant, content)
    assert stored.status in (200, 204), stored.describe()
    expect(complete(chaos, person, grant["id"]), 202, "POST completion")
    return grant["id"]


def is_ready(chaos, person, upload_id):
    return state(chaos, person, upload_id)["state"] == "ready"


def new_picture(chaos, width=640, height=480):
    return picture.make_png(width, height, seed=chaos.random.random())


def check_done_once(chaos, name, person, upload_id, content, timeout_s=60.0):
    """Ready with one set of variants, shown in the profile, and nothing else in the bucket."""
    wait_until(lambda: is_ready(chaos, person, upload_id), timeout_s, 0.1)
    shown = state(chaos, person, upload_id)
    if not chaos.check(f"{name}: the upload is ready", shown["state"] == "ready", str(shown)):
        return
    urls = sorted(variant["url"] for variant in shown["variants"])

    def profile_urls():
        answer = chaos.gateway.get(f"/v1/profiles/{person.account_id}", person.token)
        avatar = (answer.json or {}).get("avatar") or {}
        return sorted(variant["url"] for variant in avatar.get("variants", []))

    shows = wait_until(lambda: profile_urls() == urls, timeout_s, 0.1)
    chaos.check(f"{name}: the profile shows it", shows, f"{profile_urls()} for {urls}")
    kept = sorted(keys_of(chaos, content))
    wanted = sorted(url.split("/relais-media/", 1)[1] for url in urls)
    chaos.check(f"{name}: one set of variants in the store", kept == wanted, f"{kept}, {wanted}")


def keys_of(chaos, content):
    """What the media bucket holds of a picture: the place is made of its hash."""
    import boto3  # here, so that the command says what is wrong with its words without it
    from botocore.config import Config

    variables = chaos.variables("upload")
    with open(variables["RELAIS_S3_SECRET_KEY_FILE"]) as file:
        secret = file.read().strip()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{chaos.suite.port_base + 64}",
        region_name=variables["RELAIS_S3_REGION"],
        aws_access_key_id=variables["RELAIS_S3_ACCESS_KEY"],
        aws_secret_access_key=secret,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    digest = hashlib.sha256(content).hexdigest()
    listed = client.list_objects_v2(Bucket="relais-media", Prefix=f"v/{digest[:2]}/{digest}/")
    return [found["Key"] for found in listed.get("Contents", [])]
