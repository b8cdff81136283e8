"""The upload of step 3: straight to the object store, then into the profile as WebP."""

import hashlib
import time
import urllib.parse

import http_client
import picture
from narrator import StepFailed
from people import expect, expect_that, wait_until


def upload_avatar(story, step):
    content = picture.make_png()
    grant = _grant(story, step, content)
    put = grant["put"]
    sent_at = time.perf_counter()
    stored = http_client.send(put["method"], put["url"], content, put["headers"])
    expect_that(stored.status in (200, 204), "the store to take the picture", stored.describe())
    step.hop("client → object store", f"{len(content)} bytes → {stored.status}", stored.took_ms)
    path = f"/v1/uploads/{grant['id']}"
    completed = story.gateway.post(path + "/completion", {}, story.client.token, key=True)
    expect(completed, 202, "POST completion")
    trace = story.gateway.last_trace
    step.hop("client → gateway → upload", "completion → 202", completed.took_ms, trace)
    story.point("completed")
    profile = _profile_with_avatar(story, path)
    took_ms = (time.perf_counter() - sent_at) * 1000
    step.hop("upload → worker → store, kafka → web-api", "avatar in the profile", took_ms)
    _check_variants(step, profile["avatar"]["variants"])


def _grant(story, step, content):
    wanted = {
        "purpose": "avatar",
        "content_type": "image/png",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    answer = story.gateway.post("/v1/uploads", wanted, story.client.token, key=True)
    grant = expect(answer, 201, "POST /v1/uploads")
    step.hop("client → gateway → upload", "grant → 201", answer.took_ms)
    gateway = urllib.parse.urlsplit(story.gateway.base).netloc
    store = urllib.parse.urlsplit(grant["put"]["url"]).netloc
    expect_that(store != gateway, "a URL of the object store", f"{store}, the gateway")
    return grant


def _profile_with_avatar(story, upload_path):
    def shown():
        answer = story.gateway.get(f"/v1/profiles/{story.client.account_id}", story.client.token)
        profile = expect(answer, 200, "GET /v1/profiles/{id}")
        return profile if profile.get("avatar") else None

    profile = wait_until(shown, story.options.patience_s)
    if not profile:
        upload = story.gateway.get(upload_path, story.client.token)
        raise StepFailed("the avatar in the profile", f"the upload says {upload.describe()}")
    return profile


def _check_variants(step, variants):
    expect_that(variants, "variants of the avatar", "none")
    for variant in variants:
        got = http_client.send("GET", variant["url"])
        expect_that(
            got.status == 200 and picture.is_webp(got.body), "a WebP picture", got.describe()
        )
        expect_that(picture.SECRET not in got.body, "metadata stripped", "the place in it")
        what = f"{variant['width']}×{variant['height']} WebP, {len(got.body)} bytes"
        step.hop("client → object store", what, got.took_ms)
