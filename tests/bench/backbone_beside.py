"""What the event backbone is measured beside: delayed_job, rdkafka_performance, the disc itself."""

import os
import pathlib
import re
import shutil
import statistics
import subprocess
import tarfile
import tempfile
import time

from nodes import ROOT, Sql

SCRIPT = pathlib.Path(__file__).resolve().with_name("delayed_job.rb")
PROBES = 200


def fdatasync_ms(folder, probes=PROBES):
    """The median of a write of 8 kB and its fdatasync, on the disc the databases are on."""
    taken = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(probes):
            begun = time.perf_counter()
            os.pwrite(file.fileno(), b"x" * 8192, 0)
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


class DelayedJob:
    """A database with N jobs, worked off by so many workers."""

    def __init__(self, server):
        if not shutil.which("ruby"):
            raise SystemExit("delayed_job is missing: deploy/setup --bench installs it")
        self.server = server
        self.name = f"delayed_job_{os.getpid()}"
        self.url = f"{server}/{self.name}"

    def __enter__(self):
        self._admin = Sql(f"{self.server}/postgres")
        self._admin.rows(f"create database {self.name}")
        self._run("prepare")
        return self

    def __exit__(self, *raised):
        self._admin.rows(f"drop database {self.name} with (force)")
        self._admin.close()

    def jobs_per_second(self, workers, jobs):
        """From the first worker's begin to the last one's end; booting Ruby does not count."""
        self._run("enqueue", str(jobs))
        running = [self._start("work") for _ in range(workers)]
        spans = []
        for each in running:
            said, _ = each.communicate(timeout=300)
            if each.returncode != 0:
                raise SystemExit(f"delayed_job ended with {each.returncode}: {said}")
            begun, ended = said.split()[-2:]
            spans.append((float(begun), float(ended)))
        return jobs / (max(end for _, end in spans) - min(begin for begin, _ in spans))

    def _start(self, *words):
        return subprocess.Popen(
            ["ruby", str(SCRIPT), self.url, *words], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )

    def _run(self, *words):
        process = self._start(*words)
        said, _ = process.communicate(timeout=120)
        if process.returncode != 0:
            raise SystemExit(f"delayed_job.rb {words[0]}: {said}")


def librdkafka():
    """(source archive or None, prefix of the library)."""
    setup = ROOT / "deploy/setup"
    said = subprocess.run([setup, "--print-prefix"], check=True, capture_output=True, text=True)
    prefix = pathlib.Path(said.stdout.strip())
    archives = sorted((prefix / "src").glob("librdkafka_*.orig.tar.*"))
    return (archives[0] if archives else None), prefix


def build_rdkafka_performance(folder):
    """The example of librdkafka's sources (those of deploy/setup) on our librdkafka; None where the
    library is a package and its sources are not here."""
    archive, prefix = librdkafka()
    if archive is None:
        return None
    with tarfile.open(archive) as sources:
        for member in sources.getmembers():
            place = member.name.split("/", 1)[-1]
            wanted = place.startswith("src/") and place.endswith(".h")
            if wanted or place == "examples/rdkafka_performance.c":
                member.name = place
                sources.extract(member, folder)
    # What its configure would have written there; the program itself asks for nothing of it.
    (folder / "config.h").write_text('#define BUILT_WITH ""\n')
    program = folder / "rdkafka_performance"
    subprocess.run(
        ["cc", "-O2", "-w", f"-I{folder}/src", f"-I{prefix}/include",
         folder / "examples/rdkafka_performance.c", "-o", program, prefix / "lib/librdkafka.a",
         *"-llz4 -lzstd -lz -lssl -lcrypto -lm -lpthread -ldl".split()],
        check=True,
    )
    return program


def rdkafka_messages_per_second(program, brokers, topic, count):
    """One run of -G -H parse over the topic, from its first message on."""
    group = f"performance-{os.getpid()}-{time.monotonic_ns()}"
    said = subprocess.run(
        [program, "-G", group, "-H", "parse", "-t", topic, "-b", brokers, "-c", str(count),
         "-X", "auto.offset.reset=earliest", "-X", "enable.auto.commit=false", "-q"],
        capture_output=True, text=True, timeout=120, check=True,
    )
    text = said.stdout + said.stderr
    found = re.findall(r"(\d+) messages \(\d+ bytes\) consumed in (\d+)ms: (\d+) msgs/s", text)
    if not found:
        raise SystemExit(f"rdkafka_performance said nothing to be read:\n{text[-2000:]}")
    return float(found[-1][2])
