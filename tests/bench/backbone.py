"""The event backbone's speed, beside delayed_job, rdkafka_performance and itself.

Usage: backbone.py [NAME…] [--json] [--rounds N] [--quick]
NAME: rows whose name begins so ("sustained", "growth keys"); none: all of them, about ten minutes.
Both sides of a row run in turn in one run; medians count. Everything is on this machine: PostgreSQL,
Kafka and the nodes of tests/backbone, built for release. `./relais bench backbone` starts what it needs.
"""

import argparse
import os
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "backbone"))

import table  # noqa: E402
from backbone_beside import (  # noqa: E402
    DelayedJob, build_rdkafka_performance, fdatasync_ms, rdkafka_messages_per_second,
)
from backbone_bulk import INTERACTIVE_PER_S, alone, beside_bulk, beside_foreign  # noqa: E402
from backbone_rows import (  # noqa: E402
    Filled, commits, latencies, percentile, sustained, timers_per_second,
)
from nodes import build_dir  # noqa: E402

BATCH_ROW = "sustained events/s, batch handler"
ONE_ROW = "sustained events/s, one-by-one handler"
COMMIT_ROW = "one event a transaction, commits/s"
COMMIT_P99_ROW = "one event a transaction, commit p99 ms at half that load"
P50_ROW = "commit to handler commit p50 ms"
P99_ROW = "commit to handler commit p99 ms"
SLOW_ROW = "behind a 400 ms writer transaction each second, p95 ms"
BULK_ROW = "interactive p99 ms beside 1M bulk events"
FOREIGN_ROW = "interactive p99 ms beside a foreign 500k-row transaction"
RUNTIME_ROW = "consumer runtime, no-op handler"
MEMORY_ROW = "consumer memory MB"
POLLING = "5 ms polling relay"
MODES = ("logical", "polling")
LOAD_SHARE = 0.7
WORKERS = (1, 2, 3, 4)


class Bench:
    """One run: what was measured, and what the reader has to know beside it."""

    def __init__(self, rounds, quick):
        self.rounds = rounds
        self.scale = 0.2 if quick else 1.0
        self.server = os.environ["RELAIS_TEST_POSTGRES"].rstrip("/")
        # The disc that the databases are on.
        self.folder = os.environ.get("RELAIS_STATE", str(build_dir()))
        self.remarks = []
        self.one_by_one = None

    def count(self, number):
        return max(1000, round(number * self.scale / 1000) * 1000)

    def warm_up(self):
        """The broker's compiler, the databases' caches: the first of many runs is no measure."""
        sustained("batch", self.count(150_000))

    def sustained(self):
        ours = {"batch": [], "one": []}
        theirs = []
        with DelayedJob(self.server) as delayed_job:
            for _ in range(self.rounds):
                for handler, rates in ours.items():
                    rates.append(sustained(handler, self.count(100_000)))
                jobs = max(50, int(250 * self.scale))
                rates = [delayed_job.jobs_per_second(each, jobs * each) for each in WORKERS]
                theirs.append(max(rates))
        beside = statistics.median(theirs)
        self.one_by_one = statistics.median(ours["one"])
        self.remarks.append(
            f"delayed_job: the best of {WORKERS[0]}–{WORKERS[-1]} workers in each round, working only"
            " (enqueuing is not timed); ours: from the first insert to the last effect"
        )
        return [
            table.row(BATCH_ROW, statistics.median(ours["batch"]), "delayed_job jobs/s", beside),
            table.row(ONE_ROW, self.one_by_one, "delayed_job jobs/s", beside),
        ]

    def commits(self):
        with_relay, without = [], []
        for _ in range(self.rounds):
            without.append(commits(self.count(8_000), False)[0])
            with_relay.append(commits(self.count(8_000), True)[0])
        ours, beside = statistics.median(with_relay), statistics.median(without)
        half = round(min(ours, beside) / 2)
        p99s = {True: [], False: []}
        for _ in range(self.rounds):
            for relayed, taken in p99s.items():
                taken.append(commits(half * 4, relayed, half)[1])
        alone = "without a relay"
        return [
            table.row(COMMIT_ROW, ours, alone, beside),
            table.row(COMMIT_P99_ROW, statistics.median(p99s[True]), alone,
                      statistics.median(p99s[False])),
        ]

    def load(self):
        """70 % of what the one-by-one handler sustains."""
        if self.one_by_one is None:
            rates = [sustained("one", self.count(100_000)) for _ in range(self.rounds)]
            self.one_by_one = statistics.median(rates)
        return LOAD_SHARE * self.one_by_one

    def latency(self):
        load, seconds = self.load(), max(3, round(8 * self.scale))
        shares = {50: P50_ROW, 99: P99_ROW}
        taken = {(mode, share): [] for mode in MODES for share in shares}
        syncs = []
        for _ in range(self.rounds):
            syncs.append(fdatasync_ms(self.folder))
            for mode in MODES:
                waits = latencies(load, seconds, mode=mode)
                for share in shares:
                    taken[mode, share].append(percentile(waits, share))
        sync = statistics.median(syncs)
        self.remarks.append(
            f"latency at {load:.0f} events/s, 50 a transaction; fdatasync {sync:.2f} ms, so p50 may be"
            f" {1 + 2 * sync:.2f} ms"
        )
        return [
            table.row(row, *self.both(taken, share)) for share, row in shares.items()
        ]

    @staticmethod
    def both(taken, share):
        """The medians of the relay and of the polling one, as a row takes them."""
        ours, polling = (statistics.median(taken[mode, share]) for mode in MODES)
        return ours, POLLING, polling

    def slow(self):
        load, seconds = self.load(), max(3, round(8 * self.scale))
        taken = {(mode, 95): [] for mode in MODES}
        for _ in range(self.rounds):
            for mode in MODES:
                waits = latencies(load, seconds, 400, mode=mode)
                taken[mode, 95].append(percentile(waits, 95))
        return [table.row(SLOW_ROW, *self.both(taken, 95))]

    def bulk(self):
        events, seconds = self.count(1_000_000), max(10, round(30 * self.scale))
        ours, beside, rates = [], [], []
        for _ in range(self.rounds):
            beside.append(alone(seconds))
            taken, lasted = beside_bulk(events)
            ours.append(taken)
            rates.append(events / lasted)
        self.remarks.append(
            f"bulk: {INTERACTIVE_PER_S} interactive events/s, one a transaction, beside {events} events"
            f" of bulk work, staged and handled at {statistics.median(rates):.0f} events/s"
        )
        return [table.row(BULK_ROW, statistics.median(ours), "without bulk work",
                          statistics.median(beside))]

    def foreign(self):
        rows, seconds = self.count(500_000), max(10, round(20 * self.scale))
        ours, beside = [], []
        for _ in range(self.rounds):
            beside.append(alone(seconds))
            ours.append(beside_foreign(rows, seconds))
        self.remarks.append(f"foreign: one transaction of {rows} rows within {seconds} s")
        return [table.row(FOREIGN_ROW, statistics.median(ours), "without it",
                          statistics.median(beside))]

    def runtime(self):
        events = self.count(500_000)
        ours, memory, theirs = [], [], []
        with tempfile.TemporaryDirectory() as made, Filled(events) as topic:
            program = build_rdkafka_performance(pathlib.Path(made))
            for _ in range(self.rounds):
                rate, megabytes = topic.consumed_per_second()
                ours.append(rate)
                memory.append(megabytes)
                if program:
                    brokers = topic.stage.brokers
                    rate = rdkafka_messages_per_second(program, brokers, topic.topic, events)
                    theirs.append(rate)
        beside = "rdkafka_performance -G -H parse"
        value, peak = statistics.median(ours), table.row(MEMORY_ROW, max(memory))
        if not theirs:
            why = "no sources of librdkafka here (Debian 13 has it as a package)"
            return [{**table.row(RUNTIME_ROW, value), "beside": beside, "missing": why}, peak]
        return [table.row(RUNTIME_ROW, value, beside, statistics.median(theirs)), peak]

    def growth_partitions(self):
        return self._growth("growth partitions", (1, 4, 16, 64), lambda many: {"partitions": many})

    def growth_keys(self):
        self.remarks.append("growth keys: records are drawn evenly from so many keys")
        steps = (1_000, 100_000, 10_000_000)
        return self._growth("growth keys", steps, lambda many: {"keys": many})

    def _growth(self, name, steps, options):
        """µs per event with the no-op handler, each step beside the first."""
        events, rows, first = self.count(300_000), [], None
        for many in steps:
            with Filled(events, **options(many)) as topic:
                rates = [topic.consumed_per_second()[0] for _ in range(self.rounds)]
            cost = 1e6 / statistics.median(rates)
            first = first or cost
            rows.append(table.row(f"{name} {many}, µs an event", cost, f"{name} {steps[0]}", first))
        return rows

    def growth_timers(self):
        pending = self.count(10_000_000)
        due = self.count(5_000)
        few = [1e6 / timers_per_second(due, 0) for _ in range(self.rounds)]
        many = 1e6 / timers_per_second(due, pending)
        beside = statistics.median(few)
        return [table.row(f"growth timers {pending}, µs a firing", many, "none pending", beside)]


GROUPS = {
    (BATCH_ROW, ONE_ROW): Bench.sustained,
    (COMMIT_ROW, COMMIT_P99_ROW): Bench.commits,
    (P50_ROW, P99_ROW): Bench.latency,
    (SLOW_ROW,): Bench.slow,
    (BULK_ROW,): Bench.bulk,
    (FOREIGN_ROW,): Bench.foreign,
    (RUNTIME_ROW, MEMORY_ROW): Bench.runtime,
    ("growth partitions",): Bench.growth_partitions,
    ("growth keys",): Bench.growth_keys,
    ("growth timers",): Bench.growth_timers,
}


def chosen(names):
    """The measurements that have a row whose name begins with one of these, or all."""
    for rows, measure in GROUPS.items():
        if not names or any(row.startswith(name) for row in rows for name in names):
            yield measure


def parse(arguments=None):
    parser = argparse.ArgumentParser(
        prog="backbone.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a fifth of the load: a try")
    given = parser.parse_args(arguments)
    for name in given.names:
        if not list(chosen([name])):
            parser.error(f"no row begins with '{name}': " + "; ".join(r for g in GROUPS for r in g))
    return given


def main():
    given = parse()
    bench = Bench(given.rounds, given.quick)
    bench.warm_up()
    rows = []
    for measure in chosen(given.names):
        rows += measure(bench)
    bench.remarks.append(f"medians of {given.rounds} rounds in turn")
    table.show(rows, given.json, bench.remarks)


if __name__ == "__main__":
    main()
