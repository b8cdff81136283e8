"""Prometheus, Alertmanager and Grafana of docker-compose.yml: valid, about metrics that exist."""

import json
import re

import pytest
import yaml

from support import ROOT, SERVICES, run, shell

DASHBOARDS = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
WORDS = re.compile(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b")
SELECTORS = re.compile(r"\{[^}]*\}|\bby \([^)]*\)|\[[^\]]*\]")
FUNCTIONS = {"histogram_quantile", "label_replace"}
FROM_PROMETHEUS = {"up"}


def panels(file):
    return json.loads(file.read_text())["panels"]


def metrics_in(expression):
    """Names of metrics, without the endings that a histogram adds."""
    found = set(WORDS.findall(SELECTORS.sub("", expression))) - FUNCTIONS
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in found}


@pytest.fixture(scope="module")
def sources():
    files = [path for top in ("libs", "services") for path in (ROOT / top).rglob("*.cpp")]
    return "".join(path.read_text() for path in files)


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_dashboards_show_metrics_that_the_services_have(file, sources):
    for panel in panels(file):
        for target in panel["targets"]:
            names = metrics_in(target["expr"])
            assert names or "up" in target["expr"]
            for name in names:
                assert f'"{name}"' in sources, (panel["title"], name)


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_expressions_are_valid(file, tmp_path):
    rules = [
        {"record": "panel", "expr": target["expr"].replace("$__rate_interval", "1m")}
        for panel in panels(file)
        for target in panel["targets"]
    ]
    written = tmp_path / "rules.yml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    # Two panels may ask the same: duplicate rules are no error here.
    run("promtool", "check", "rules", "--lint=none", written)


def test_dashboards_have_their_own_names_and_ids():
    for key in ("uid", "title"):
        assert len({json.loads(file.read_text())[key] for file in DASHBOARDS}) == len(DASHBOARDS)
    for file in DASHBOARDS:
        ids = [panel["id"] for panel in panels(file)]
        assert ids == sorted(set(ids))


def test_panels_ask_the_data_source_that_is_provisioned():
    folder = ROOT / "deploy/grafana/provisioning/datasources"
    known = {
        source["uid"]
        for file in folder.glob("*.yml")
        for source in yaml.safe_load(file.read_text())["datasources"]
    }
    for file in DASHBOARDS:
        assert {panel["datasource"]["uid"] for panel in panels(file)} <= known


def test_prometheus_takes_its_configuration(tmp_path):
    text = (ROOT / "deploy/docker/prometheus.yml").read_text()
    local = tmp_path / "prometheus.yml"
    local.write_text(
        text.replace("/etc/prometheus/rules.yml", str(ROOT / "deploy/prometheus/rules.yml"))
    )
    run("promtool", "check", "config", local)


def test_prometheus_scrapes_as_in_development():
    composed = yaml.safe_load((ROOT / "deploy/docker/prometheus.yml").read_text())
    local = yaml.safe_load(shell("source deploy/dev/services.sh; render_prometheus"))
    assert composed["global"] == local["global"]
    (job,), (wanted,) = composed["scrape_configs"], local["scrape_configs"]
    seen = [each["labels"]["service"] for each in job.pop("static_configs")]
    assert seen == list(SERVICES)
    assert wanted.pop("static_configs")
    assert job == wanted


def test_alertmanager_takes_its_configuration():
    run("amtool", "check-config", "deploy/prometheus/alertmanager.yml")
