"""The gateway's examples: each is a configuration that the program takes, with times that fit."""

import base64
import os
import pathlib
import re
import subprocess

import proxies
import pytest
import yaml

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "services/gateway/examples"


def one_machine():
    lines = (EXAMPLES / "one-machine/gateway.env").read_text().splitlines()
    unit = (EXAMPLES / "one-machine/relais-gateway@.service").read_text()
    return (
        dict(line.split("=", 1) for line in lines if line and not line.startswith("#")),
        (EXAMPLES / "one-machine/routes.textproto").read_text(),
        int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.M)[1]),
    )


def compose():
    service = yaml.safe_load((EXAMPLES / "compose/compose.yaml").read_text())["services"]["gateway"]
    routes = EXAMPLES / "compose/routes.textproto"
    assert f"./{routes.name}:{service['environment']['RELAIS_ROUTES_FILE']}:ro" in service["volumes"]
    return (
        service["environment"],
        routes.read_text(),
        int(service["stop_grace_period"].removesuffix("s")),
    )


def kubernetes():
    documents = yaml.safe_load_all((EXAMPLES / "kubernetes/gateway.yaml").read_text())
    by_kind = {each["kind"]: each for each in documents}
    pod = by_kind["Deployment"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    return (
        {each["name"]: each.get("value", "pod-1") for each in container["env"]},
        by_kind["ConfigMap"]["data"]["routes.textproto"],
        pod["terminationGracePeriodSeconds"],
    )


def test_the_autoscaler_fits_what_it_scales():
    files = [EXAMPLES / "kubernetes" / name for name in ("gateway.yaml", "autoscaling.yaml")]
    kinds = {each["kind"]: each for file in files for each in yaml.safe_load_all(file.read_text())}
    scaler = kinds["HorizontalPodAutoscaler"]["spec"]
    target = kinds["Deployment"]
    assert scaler["scaleTargetRef"] == {
        "apiVersion": target["apiVersion"],
        "kind": target["kind"],
        "name": target["metadata"]["name"],
    }
    assert scaler["minReplicas"] == target["spec"]["replicas"]
    assert scaler["minReplicas"] > kinds["PodDisruptionBudget"]["spec"]["minAvailable"]
    (down,) = scaler["behavior"]["scaleDown"]["policies"]
    drain_s = target["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert down["periodSeconds"] >= drain_s
    (rule,) = yaml.safe_load(kinds["ConfigMap"]["data"]["config.yaml"])["rules"]
    (metric,) = scaler["metrics"]
    assert metric["pods"]["metric"]["name"] == rule["name"]["as"]
    series = rule["seriesQuery"].split("{")[0]
    source = EXAMPLES.parent / "loop/loop_metrics.cpp"
    assert f'"{series}"' in source.read_text()


def run(word, environment):
    clean = {n: v for n, v in os.environ.items() if not n.startswith("RELAIS_")}
    return subprocess.run(
        [proxies.BUILD / "bin/relais-gateway", word],
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("example", [one_machine, compose, kubernetes])
def test_an_example_is_complete(example, tmp_path):
    environment, routes, stop_seconds = example()
    (tmp_path / "routes.textproto").write_text(routes)
    (tmp_path / "identity").write_text(base64.urlsafe_b64encode(bytes(32)).decode().rstrip("="))
    known = run("--help-config", {}).stdout
    for name in environment:
        plain = {name, name.removesuffix("_FILE")}  # a secret may be in a file
        assert any(re.search(rf"\b{each}\b", known) for each in plain), f"{name} is no variable"
    environment = environment | {
        "RELAIS_ROUTES_FILE": str(tmp_path / "routes.textproto"),
        "RELAIS_IDENTITY_PRIVATE_KEY_FILE": str(tmp_path / "identity"),
    }
    done = run("--check-config", environment)
    assert done.returncode == 0, done.stderr
    drain_ms = int(environment.get("RELAIS_DRAIN_DELAY", 0)) + max(
        int(environment["RELAIS_DRAIN_REQUESTS_MAX_MS"]),
        int(environment["RELAIS_DRAIN_UPLOADS_MAX_MS"]),
    )
    assert stop_seconds * 1000 >= drain_ms + 20_000


def test_the_fields_of_the_file_are_explained():
    text = run("--help-config", {}).stdout
    assert "\nThe routes file (RELAIS_ROUTES_FILE): protobuf's text form of" in text
    assert re.search(r"\n  route: \{ … \}, any number of times\n", text)
    assert re.search(r"\n    prefix: text\n +Matches whole path segments", text)
    assert re.search(r"\n      CREDENTIALS_EXCHANGE\n +A bearer token is exchanged", text)
    assert re.search(r"\n    deadline_ms: number\n", text)
    assert "UNSPECIFIED" not in text


def test_fields_of_imported_files_have_their_own_comments():
    text = run("--help-config", {}).stdout
    assert re.search(r"\n    directory: text\n +Absolute\. What is below the route's prefix", text)
    assert re.search(r"\n    default_ttl_s: number\n +Of answers that say nothing; 0: they", text)
    assert re.search(r"\n    entry_bytes_max: number\n +The largest body that is kept;", text)
    assert re.search(r"\n  cors: \{ … \}, any number of times\n +Who else's pages may use", text)
    assert re.search(r"\n    coding: text, any number of times\n +\"zstd\", \"br\", \"gzip\"", text)
    # Fields that are refused are not offered.
    assert "hsts_" not in text
    assert re.search(r"\n    strict_transport_security: \{ … \}\n +All answers to clients", text)


def test_everything_that_is_wrong_is_said_at_once(tmp_path):
    (tmp_path / "routes.textproto").write_text('route { prefix: "v1" upstream: "nobody" }')
    done = run(
        "--check-config",
        {"RELAIS_ROUTES_FILE": str(tmp_path / "routes.textproto"), "RELAIS_LISTEN": "nowhere"},
    )
    assert done.returncode == 1
    for part in ("RELAIS_LISTEN", "RELAIS_IDENTITY_PRIVATE_KEY", "nobody"):
        assert part in done.stderr, done.stderr
