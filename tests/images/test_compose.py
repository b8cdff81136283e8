"""docker-compose.yml: valid, hardened, ordered, and with development's settings."""

import re

import pytest
import yaml

from support import ROOT, SERVICES, STAGES, composition, dockerfile, run, shell, tool

FILES = ("docker-compose.yml", "deploy/docker/servers.yml")
COMPOSED = composition.load()
ONCE = {name for name, service in COMPOSED.items() if service["restart"] == "no"}
# Where servers of our own and of others differ on purpose: paths, addresses, sizes of one machine.
KAFKA_OWN = {"log.dirs", "listeners", "advertised.listeners", "controller.quorum.voters"}


def test_compose_accepts_it():
    run("docker-compose", "-f", "docker-compose.yml", "config", "-q")


@pytest.mark.parametrize("file", FILES)
def test_it_follows_the_specification(file):
    run(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", file)


@pytest.mark.parametrize("name", COMPOSED)
def test_each_container_has_few_rights(name):
    service = COMPOSED[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service and "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert composition.megabytes(service["mem_limit"]) >= 64
    assert service["pids_limit"] > 0
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:"), port
    # Without a mode a tmpfs has that of the folder below it, which is root's.
    for options in composition.tmpfs_of(service).values() if "tmpfs" in service else ():
        assert "mode=1777" in options


@pytest.mark.parametrize("name", sorted(set(COMPOSED) - ONCE))
def test_each_server_says_whether_it_is_healthy(name):
    target = composition.target_of(COMPOSED[name])
    health = dockerfile.configuration(STAGES, target)["health"] if target else []
    assert health or COMPOSED[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", COMPOSED)
def test_nothing_starts_before_what_it_needs_is_done_or_healthy(name):
    for other, how in COMPOSED[name].get("depends_on", {}).items():
        wanted = "service_completed_successfully" if other in ONCE else "service_healthy"
        assert how == {"condition": wanted}, other
    assert composition.in_order(COMPOSED)


@pytest.mark.parametrize("name", SERVICES)
def test_a_stop_has_more_time_than_draining_takes(name):
    environment = composition.environment_of(COMPOSED[name])
    drain_ms = int(environment["RELAIS_DRAIN_DELAY"])
    limit = re.search(r"stop_limit\{\s*(\d+)'(\d+)\}", (ROOT / "libs/host/process.hpp").read_text())
    stop_ms = int(limit[1] + limit[2])
    grace_ms = composition.seconds(COMPOSED[name]["stop_grace_period"]) * 1000
    assert grace_ms > drain_ms + stop_ms


@pytest.mark.parametrize("name", sorted(set(COMPOSED) - ONCE))
def test_images_of_others_have_a_version(name):
    image = COMPOSED[name]["image"]
    ours = composition.target_of(COMPOSED[name]) is not None
    assert image.startswith("relais/") if ours else re.search(r":v?\d+(\.\d+)*", image)


def test_images_are_built_where_they_are_used():
    """compose pulls the image of a service that does not say how it is built."""
    for name, service in COMPOSED.items():
        assert service["image"].startswith("relais/") == ("build" in service), name
        if "build" in service:
            assert service["image"] == f"relais/{service['build']['target']}"


def test_volumes_and_networks_are_declared():
    file = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    for service in COMPOSED.values():
        assert set(service["networks"]) <= set(file["networks"])
        for source, _, _ in composition.volumes_of(service):
            if source.startswith("."):
                assert (ROOT / "deploy/docker" / source).exists(), source
            else:
                assert source in file["volumes"], source


def test_kafka_is_set_up_as_in_development():
    assert (
        COMPOSED["kafka"]["image"] == "apache/kafka:" + shell("echo $kafka_default_version").strip()
    )
    lines = shell("render_kafka").splitlines()
    development = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    given = composition.environment_of(COMPOSED["kafka"])
    composed = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in given.items()
        if name not in ("CLUSTER_ID", "KAFKA_HEAP_OPTS")
    }
    sizes = {"num.network.threads", "num.io.threads", "log.cleaner.dedupe.buffer.size"}
    for name, value in development.items():
        if name not in KAFKA_OWN | sizes:
            assert composed.pop(name) == value, name
    assert set(composed) <= KAFKA_OWN


def test_postgres_is_set_up_as_in_development():
    development = dict(
        re.findall(r"^(\w+) = '?([^'\n]*)'?$", shell("render_postgres"), re.MULTILINE)
    )
    for word in COMPOSED["postgres"]["command"][1:]:
        name, value = word.removeprefix("-c").split("=")
        assert development[name] == value, name
    assert "-cwal_level=logical" in COMPOSED["postgres"]["command"]
    wanted = shell("echo $postgres_bin").split("/")[4]
    assert wanted in ("15", "17")
