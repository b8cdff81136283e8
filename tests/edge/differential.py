"""The vectors through relais-gateway, nginx and HAProxy: services/gateway/VECTORS.md.

Usage: differential.py           shows where the file differs from what a run gives now; exit 1
       differential.py --write   writes it
The file names the versions beside ours; with others the columns differ, and only ours counts.
"""

import concurrent.futures
import difflib
import pathlib
import sys
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import proxies  # noqa: E402
import vectors  # noqa: E402
from exchange import run_answer, run_request  # noqa: E402
from origin import Origin  # noqa: E402

TABLE = proxies.ROOT / "services/gateway/VECTORS.md"
VERSIONS = {"nginx": "1.22", "haproxy": "2.6"}  # Debian 12's
PARTS = {"requests": (vectors.requests, run_request), "answers": (vectors.answers, run_answer)}
PREFACE = """\
# What the gateway makes of doubtful bytes

Every row of `tests/edge/vectors/` through relais-gateway, nginx {nginx} and HAProxy {haproxy} (Debian 12's
packages and parsing, the origin's connections kept), all in front of the same origin that keeps every
byte. Generated: `python3 tests/edge/differential.py --write`; a test compares it with what a run gives.

| a cell | says |
|---|---|
| `400` … | refused with this status, nothing whole reached the other side |
| `closed` | the connection was closed without an answer |
| `cut` | the message's head had gone on; its body was broken off so that everybody sees it |
| `waits` | more bytes were waited for, in vain |
| `accepted` | went on; there is nothing doubtful in it |
| `rewritten` | went on, without the doubtful bytes |
| `as received` | went on **with** the doubtful bytes, for the next reader to understand otherwise |
| `kept`, `dropped` | of answers: what became of the connection to the service |
| `out of step` | bytes of it were run as another message, or a later message got another's answer |

`x{{300}}`, `(ab){{40}}`: that many times. Long rows are cut off.
"""


@dataclass
class Row:
    part: str
    vector: object
    outcomes: dict[str, object]  # of each proxy

    def varies(self, name):
        """What this proxy does one time and another with the same bytes, if it does."""
        return self.vector.varies.get(name, "") if self.part == "requests" else ""

    def cell(self, name):
        now = self.outcomes[name].cell()
        return self.varies(name) if now in self.varies(name).split(" or ") else now

    @property
    def cells(self):
        return [self.cell(name) for name in proxies.ALL]

    def refused_by(self, name):
        return self.outcomes[name].refused and not self.varies(name)


def run_proxy(name):
    """[outcome], of requests and then of answers. The cells are fixed while the origin lives."""
    with Origin() as origin, proxies.ALL[name](origin) as proxy:
        return {
            part: [run(proxy, origin, vector) for vector in read()]
            for part, (read, run) in PARTS.items()
        }


def run_all():
    with concurrent.futures.ThreadPoolExecutor(len(proxies.ALL)) as pool:
        found = dict(zip(proxies.ALL, pool.map(run_proxy, proxies.ALL)))
    return [
        Row(part, vector, {name: found[name][part][index] for name in proxies.ALL})
        for part, (read, _) in PARTS.items()
        for index, vector in enumerate(read())
    ]


def lines_of(rows):
    """The tables, a group each."""
    group = None
    for row in rows:
        if (row.part, row.vector.group) != group:
            group = (row.part, row.vector.group)
            yield f"\n## {row.part}: {row.vector.group}\n"
            yield "| row | bytes | relais-gateway | nginx {nginx} | HAProxy {haproxy} |".format(**VERSIONS)
            yield "|---|---|---|---|---|"
        name = row.vector.name.replace("|", "\\|")
        yield f"| {name} | {code(row.vector.essence)} | " + " | ".join(row.cells) + " |"


def code(data):
    """As code in a cell of a table."""
    text = vectors.shown(data).replace("|", "\\|")
    fence = "``" if "`" in text else "`"
    return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"


def document(rows):
    return PREFACE.format(**VERSIONS) + "\n".join(lines_of(rows)) + "\n"


def of_these_versions():
    return all(proxies.version(name) == number for name, number in VERSIONS.items())


def laxer_than_both(rows):
    """Names of rows that nginx and HAProxy refuse and ours does not, or whose connection both drop
    and ours keeps."""
    for row in rows:
        ours, *theirs = proxies.ALL
        outcome = row.outcomes
        if all(row.refused_by(each) for each in theirs) and not row.refused_by(ours):
            yield row.vector.name
        elif row.part == "answers" and outcome[ours].kept and not any(outcome[n].kept for n in theirs):
            yield row.vector.name


def main():
    made = document(run_all())
    if "--write" in sys.argv[1:]:
        if not of_these_versions():
            sys.exit(f"these are not the versions that the table is about: {VERSIONS}")
        TABLE.write_text(made)
        return 0
    there = TABLE.read_text().splitlines()
    changes = list(difflib.unified_diff(there, made.splitlines(), str(TABLE), "now", lineterm=""))
    print(*changes, sep="\n")
    return 1 if changes else 0


if __name__ == "__main__":
    sys.exit(main())
