"""The Dockerfile: linted, and what every image of ours must have."""

import re

import pytest

from support import PROGRAMS, ROOT, SERVICES, STAGES, dockerfile, run, tool

TARGETS = (*SERVICES, "relaisctl", "setup", "sandbox", "store")
TEXT = (ROOT / "deploy/docker/Dockerfile").read_text()


def configuration(name):
    return dockerfile.configuration(STAGES, name)


def test_the_linter_finds_nothing():
    run(tool("hadolint"), "deploy/docker/Dockerfile")


@pytest.mark.parametrize("name", TARGETS)
def test_it_runs_as_a_numeric_user_without_a_shell(name):
    made = configuration(name)
    assert made["user"] == "65532:65532"
    assert made["entrypoint"][0].startswith("/")
    assert not {"sh", "bash", "-c"} & set(made["entrypoint"])


@pytest.mark.parametrize("name", SERVICES)
def test_the_program_itself_says_whether_it_is_healthy(name):
    program = f"/opt/relais/bin/relais-{name}"
    made = configuration(name)
    assert made["entrypoint"] == [program]
    assert made["health"] == [program, "--health"]


@pytest.mark.parametrize("name", TARGETS)
def test_labels_say_what_it_is(name):
    labels = configuration(name)["labels"]
    for key in ("title", "description", "version", "revision", "vendor", "base.name"):
        assert labels.get(f"org.opencontainers.image.{key}"), key


def test_the_version_is_the_projects():
    project = re.search(r"project\(\w+ VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert f"ARG VERSION={project}" in TEXT


def test_builder_and_runtime_are_one_release():
    assert {stage.base for stage in STAGES.values()} - set(STAGES) == {"debian:13-slim", "scratch"}


def test_what_is_copied_is_there_and_not_ignored():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    for stage in STAGES.values():
        for each in stage.all("COPY"):
            source, paths, _ = dockerfile.copy_of(each)
            for path in paths if source is None else ():
                assert (ROOT / path).exists(), path
                assert path.split("/")[0] in allowed, path


def test_each_library_and_service_is_in_the_builder():
    """What CMake reads at the top is copied; a new folder there must be added."""
    copied = {
        path for each in STAGES["builder"].all("COPY") for path in dockerfile.copy_of(each)[1]
    }
    for folder in re.findall(
        r"^add_subdirectory\((\w+)\)", (ROOT / "CMakeLists.txt").read_text(), re.M
    ):
        assert folder in copied


def test_unknown_instructions_are_an_error(tmp_path):
    file = tmp_path / "Dockerfile"
    file.write_text("FROM debian:13-slim AS one\nONBUILD RUN true\n")
    with pytest.raises(dockerfile.DockerfileError, match="ONBUILD"):
        dockerfile.read(file)


# What another package brings along: the compiler's, librdkafka's (linked statically on Debian 12),
# libvips' own.
BROUGHT = {"libc", "libstdc++", "libgcc-s", "liblz4", "libzstd", "zlib1g", "libglib2.0"}
IN_IMAGE = {name: [f"relais-{name}"] for name in SERVICES} | {"relaisctl": ["relaisctl"]}
IN_IMAGE["upload"].append("relais-upload-worker")


def stem(package):
    """libicu72 and libicu76, libvips42 and libvips42t64 are one library."""
    return re.sub(r"-?\d[\d.]*(t64)?$", "", package.split(":")[0])


def installed(name):
    """Stems of what the stage and those below it install."""
    stage, out = STAGES.get(name), set()
    while stage is not None:
        for each in stage.all("RUN"):
            for words in re.findall(r"apt-get install -y --no-install-recommends ([^&]*)", each.text):
                out |= {stem(word) for word in words.split()}
        stage = STAGES.get(stage.base)
    return out


def needed(program):
    """Packages of the libraries that a program of the tests' build names, on this machine."""
    listed = run("readelf", "-d", PROGRAMS / program)
    for soname in re.findall(r"\(NEEDED\).*\[(lib[^]]+)\]", listed):
        found = run("dpkg-query", "--search", f"*-linux-gnu/{soname}")
        yield found.split(":")[0].split(",")[0]


@pytest.mark.parametrize("name", IN_IMAGE)
def test_it_installs_the_libraries_that_its_programs_need(name):
    wanted = {stem(package) for program in IN_IMAGE[name] for package in needed(program)}
    assert wanted - installed(name) - BROUGHT == set()
