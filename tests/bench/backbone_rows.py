"""What the event backbone does under load: each function is one measurement on a stage of its own."""

import struct
import tempfile
import time

from nodes import Stage, wait_until

ENTRY = struct.Struct("=16sq")  # as tests/backbone/time_log writes them
LIMIT_S = 240


def percentile(values, share):
    """The smallest of the sorted values that `share` percent of them do not exceed."""
    return values[max(0, -(-len(values) * share // 100) - 1)]


def wait_for_consumer(stage, sink):
    """Its partitions are assigned and have been read once."""
    count = "select count(*) from inbox_watermark"
    wait_until(lambda: sink.value(count) == str(stage.partitions), 30, "the assignment")


def wait_for_relay(stage):
    sql = stage.session(stage.source_url)
    taken = ("select count(*) from pg_replication_slots where active"
             " and database = current_database()")
    wait_until(lambda: sql.value(taken) == "1", 30, "the relay")


def wait_for_offsets(sink, events):
    """Until the consumer's database says that so many events are handled."""
    done = "select coalesce(sum(next_offset), 0) from inbox_watermark"
    wait_until(lambda: int(sink.value(done)) >= events, LIMIT_S, f"{events} events", 0.2)


def sustained(handler, events, partitions=12, keys=1000):
    """Events a second from the first insert to the last effect, while everything runs at once: 4
    writers, 50 events a transaction, as fast as they can."""
    with Stage(partitions) as stage:
        sink = stage.session(stage.sink_url)
        relay = stage.relay()
        consumer = stage.consumer("--handler", handler, "--instance", "one")
        wait_for_consumer(stage, sink)
        wait_for_relay(stage)
        writer = stage.writer("--transactions", events // 50, "--batch", 50, "--keys", keys)
        wrote = writer.wait(LIMIT_S)
        wait_for_offsets(sink, events)
        said = consumer.stop()
        relay.stop()
    return events / ((said["last_at_us"] - wrote["began_at_us"]) / 1e6)


def commits(transactions, with_relay, rate=0):
    """One event a transaction, 8 writers: (commits a second, their p99 in ms)."""
    with Stage() as stage:
        if with_relay:
            stage.relay()
            wait_for_relay(stage)
        options = ("--rate", rate) if rate else ()
        said = stage.writer("--transactions", transactions, "--batch", 1, "--clients", 8, *options)
        wrote = said.wait(LIMIT_S)
    return wrote["committed"] / wrote["seconds"], wrote["wait_p99_us"] / 1000


def read_times(path):
    with open(path, "rb") as file:
        return dict(ENTRY.iter_unpack(file.read()))


def latencies(events_per_second, seconds, slow_ms=0, batch=50, mode="logical"):
    """Milliseconds from the COMMIT's begin to the handler's COMMIT's end, sorted, at an offered load
    that does not wait for anybody: a transaction that had to wait for a free writer is counted from
    when it was due. With slow_ms another writer keeps a transaction open as long, each second."""
    with Stage() as stage, tempfile.TemporaryDirectory() as folder:
        sink, source = stage.session(stage.sink_url), stage.session(stage.source_url)
        stage.relay("--mode", mode)
        handled_at, written_at = f"{folder}/handled", f"{folder}/written"
        consumer = stage.consumer("--instance", "one", "--times", handled_at)
        wait_for_consumer(stage, sink)
        stage.writer("--transactions", 1, "--batch", 1).wait(LIMIT_S)
        wait_for_offsets(sink, 1)
        rate = max(1, round(events_per_second / batch))
        transactions = rate * seconds
        slow = ("--slow-ms", slow_ms) if slow_ms else ()
        stage.writer(
            "--transactions", transactions, "--batch", batch, "--rate", rate, "--clients", 8,
            "--times", written_at, *slow,
        ).wait(LIMIT_S)
        wait_for_offsets(sink, int(source.value("select count(*) from outbox_event")))
        consumer.stop()
        written, handled = read_times(written_at), read_times(handled_at)
    # The first second is for warming up.
    begin = min(written.values()) + 1_000_000
    return sorted(
        (handled[event] - at) / 1000
        for event, at in written.items() if at >= begin
    )


class Filled:
    """A topic with so many records, as a relay would have published them."""

    def __init__(self, events, partitions=12, keys=1000):
        self.events = events
        self._keys = keys
        self.stage = Stage(partitions)

    def __enter__(self):
        self.stage.__enter__()
        try:
            self.stage.produce("--events", self.events, "--keys", self._keys)
        except BaseException:
            self.stage.__exit__()
            raise
        return self

    def __exit__(self, *raised):
        self.stage.__exit__(*raised)

    @property
    def topic(self):
        return f"{self.stage.prefix}market.job.events.v1"

    def consumed_per_second(self):
        """By a new group with the no-op handler, from its first event to its last: (events a second,
        peak memory in MB)."""
        self.stage.group = f"{self.stage.name}-{time.monotonic_ns()}"
        sink = self.stage.session(self.stage.sink_url)
        sink.rows("truncate inbox_watermark")
        consumer = self.stage.consumer("--handler", "noop", "--instance", "one")
        wait_for_offsets(sink, self.events)
        said = consumer.stop()
        taken_s = (said["last_at_us"] - said["first_at_us"]) / 1e6
        return said["handled"] / taken_s, said["peak_kb"] / 1024


def timers_per_second(due, pending):
    """`due` timers that are due at once, beside `pending` ones of tomorrow."""
    with Stage() as stage:
        sql = stage.session(stage.source_url)
        insert = "insert into timer (id, kind, due_at, payload)"
        if pending:
            sql.rows(f"{insert} select 'later-' || n, 'chaos', now() + interval '1 day'"
                     f" + n * interval '1 ms', '' from generate_series(1, {pending}) n")
            sql.rows("analyze timer")
        sql.rows(f"{insert} select 'due-' || n, 'chaos', now(), '' from generate_series(1, {due}) n")
        runner = stage.timers()
        fired = "select count(*) from fired"
        wait_until(lambda: int(sql.value(fired)) >= due, LIMIT_S, f"{due} timers", 0.2)
        runner.stop()
        seconds = sql.value("select extract(epoch from max(db_now) - min(db_now)) from fired")
    return due / float(seconds)
