"""Reads docker-compose.yml as far as it is needed to start its services without an engine."""

import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
# ${NAME:-default}, the one form that the file uses.
INTERPOLATION = re.compile(r"\$\{(\w+):-([^}]*)\}")
DURATION = re.compile(r"(\d+)(s|m)")


def load(environment=None):
    """The services by name, with what they extend merged in and variables filled in."""
    environment = environment or {}

    def fill(value):
        if isinstance(value, str):
            return INTERPOLATION.sub(lambda found: environment.get(found[1]) or found[2], value)
        if isinstance(value, dict):
            return {name: fill(each) for name, each in value.items()}
        if isinstance(value, list):
            return [fill(each) for each in value]
        return value

    services = fill(yaml.safe_load(COMPOSE.read_text(encoding="utf-8")))["services"]
    return {name: _extended(service) for name, service in services.items()}


def _extended(service):
    source = service.pop("extends", None)
    if not source:
        return service
    other = yaml.safe_load((ROOT / source["file"]).read_text(encoding="utf-8"))
    return {**other["services"][source["service"]], **service}


def target_of(service):
    """The stage of the Dockerfile that the service runs, or None for an image of others."""
    build = service.get("build")
    return build["target"] if build else None


def environment_of(service):
    given = {name: str(value) for name, value in service.get("environment", {}).items()}
    return {name: value for name, value in given.items() if value}


def seconds(text):
    return sum(int(count) * (60 if unit == "m" else 1) for count, unit in DURATION.findall(text))


def megabytes(text):
    number, unit = int(text[:-1]), text[-1]
    return number * {"m": 1, "g": 1024}[unit]


def volumes_of(service):
    """[(volume or path, path inside, read only)]"""
    found = []
    for each in service.get("volumes", []):
        source, inside, *mode = each.split(":")
        found.append((source, inside, mode == ["ro"]))
    return found


def tmpfs_of(service):
    return {path: options for path, _, options in (t.partition(":") for t in service["tmpfs"])}


def in_order(services):
    """Names, each after all that it depends on."""
    ordered, waiting = [], dict(services)
    while waiting:
        ready = [n for n, s in waiting.items() if set(s.get("depends_on", {})) <= set(ordered)]
        if not ready:
            raise ValueError(f"a circle in depends_on: {', '.join(waiting)}")
        ordered += ready
        for name in ready:
            del waiting[name]
    return ordered
