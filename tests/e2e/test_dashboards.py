"""The dashboards against the running suite's Prometheus: after the story, every panel has data."""

import functools
import json
import pathlib
import re
import urllib.parse

import http_client
import pytest
from narrator import Narrator
from people import wait_until
from story import play

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "deploy/grafana/dashboards"
DASHBOARDS = sorted(FOLDER.glob("*.json"))


@pytest.fixture(scope="module")
def played():
    return []


def ask(prometheus, expression):
    query = urllib.parse.urlencode({"query": expression.replace("$__rate_interval", "1m")})
    answer = http_client.send("GET", f"{prometheus}/api/v1/query?{query}")
    assert answer.status == 200, answer.describe()
    return answer.json["data"]["result"]


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_each_panel_has_data_with_its_labels(file, suite, gateway, sandbox, options, played):
    if not played:
        play(options, Narrator(quiet=True))
        played.append(True)
    for panel in json.loads(file.read_text())["panels"]:
        for target in panel["targets"]:
            asked = functools.partial(ask, suite.prometheus, target["expr"])
            rows = wait_until(asked, 30.0, 0.5)
            assert rows, (panel["title"], target["expr"])
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                assert all(label in row["metric"] for row in rows), (panel["title"], label)
