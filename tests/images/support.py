"""What the tests of the images share: the files, read; the programs of the build."""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy/docker"))

import composition  # noqa: E402
import dockerfile  # noqa: E402

SERVICES = ("gateway", "web-api", "upload", "notification", "mailing-list-sync")
PROGRAMS = ROOT / ".relais/build/dev/bin"
STAGES = dockerfile.read(ROOT / "deploy/docker/Dockerfile")
VARIABLE = re.compile(r"^  (RELAIS_\w+)\n(?:      .*\n)*?      form: (.*)$", re.MULTILINE)


def tool(name):
    """A program of the Python environment that runs the tests."""
    return str(pathlib.Path(sys.executable).parent / name)


def run(*command, **options):
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, cwd=ROOT, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def described_variables(service):
    """{name: form} as the program's --help-config lists them; of a secret also its NAME_FILE."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RELAIS_")}
    page = run(PROGRAMS / f"relais-{service}", "--help-config", env=clean)
    found = dict(VARIABLE.findall(page))
    files = {f"{name}_FILE": form for name, form in found.items() if f"{name}_FILE=" in form}
    return {**found, **files}


def environment_of(service, composed):
    """What the container's program sees: the image's environment, then compose's."""
    target = composition.target_of(composed[service])
    image = dockerfile.configuration(STAGES, target)["environment"] if target else {}
    return {**image, **composition.environment_of(composed[service])}


def shell(text):
    """What a line of bash prints, with the functions of development's scripts at hand."""
    parts = (
        "steps.sh",
        "dev/environment.sh",
        "dev/postgres.sh",
        "dev/kafka.sh",
        "setup.d/kafka.sh",
    )
    sources = "\n".join(f"source deploy/{part}" for part in parts)
    return run("bash", "-c", f"set -euo pipefail\n{sources}\nset_environment\n{text}")
