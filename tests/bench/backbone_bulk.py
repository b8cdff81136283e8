"""Interactive events beside bulk work: what a person waits while a campaign flows."""

import tempfile
import threading
import time

from backbone_rows import LIMIT_S, percentile, read_times, wait_for_relay
from nodes import BULK_PARTITIONS, Stage, wait_until

INTERACTIVE_PER_S = 50
BULK_LIMIT_S = 1800
BULK_DONE = ("select coalesce(sum(next_offset), 0) from inbox_watermark"
             " where topic like '%campaign%'")


class Interactive:
    """A stage on which one event a transaction flows at a rate that a person's clicks would have, from
    its begin to its end."""

    def __init__(self, mode="logical", batch=None):
        self._mode = mode
        self._batch = ("--bulk-batch", batch) if batch else ()
        self._folder = tempfile.TemporaryDirectory()
        self.stage = Stage(bulk=True)

    def __enter__(self):
        self.stage.__enter__()
        try:
            self._start()
        except BaseException:
            self.stage.__exit__()
            raise
        return self

    def __exit__(self, *raised):
        self.stage.__exit__(*raised)
        self._folder.cleanup()

    def _start(self):
        stage = self.stage
        self.sink = stage.session(stage.sink_url)
        self.source = stage.session(stage.source_url)
        stage.relay("--mode", self._mode, "--bulk", 1, *self._batch)
        self._handled, self._written = f"{self._folder.name}/handled", f"{self._folder.name}/written"
        self._consumer = stage.consumer("--instance", "one", "--bulk", 1, "--times", self._handled)
        assigned = "select count(*) from inbox_watermark"
        every = str(stage.partitions + BULK_PARTITIONS)
        wait_until(lambda: self.sink.value(assigned) == every, 30, "the assignment")
        if self._mode == "logical":
            wait_for_relay(stage)
        self._writer = stage.writer(
            "--transactions", INTERACTIVE_PER_S * BULK_LIMIT_S, "--batch", 1, "--clients", 4,
            "--rate", INTERACTIVE_PER_S, "--times", self._written,
        )
        effects = "select count(*) from effects"
        wait_until(lambda: int(self.sink.value(effects)) >= INTERACTIVE_PER_S, 30, "the first events")

    def finish(self, begin_s, end_s):
        """Sorted milliseconds from COMMIT to the handler's COMMIT, of what was committed between."""
        self._writer.stop()
        wrote = int(self.source.value(
            "select count(*) from outbox_event where topic = 'market.job.events.v1'"))
        done = ("select coalesce(sum(next_offset), 0) from inbox_watermark"
                " where topic not like '%campaign%'")
        wait_until(lambda: int(self.sink.value(done)) >= wrote, LIMIT_S, f"{wrote} events", 0.2)
        self._consumer.stop()
        written, handled = read_times(self._written), read_times(self._handled)
        return sorted(
            (handled[event] - at) / 1000
            for event, at in written.items()
            if begin_s * 1e6 <= at < end_s * 1e6
        )


def alone(seconds, mode="logical"):
    """p99 with nothing beside it."""
    with Interactive(mode) as on:
        begin = time.time()
        time.sleep(seconds)
        return percentile(on.finish(begin, time.time()), 99)


def beside_bulk(events, mode="logical", batch=None):
    """While so many bulk events are staged, 1,000 a transaction, and flow to their handler's COMMIT:
    (p99, seconds that took)."""
    with Interactive(mode, batch) as on:
        begin = time.time()
        on.stage.writer(
            "--transactions", events // 1000, "--batch", 1000, "--clients", 1, "--bulk", 1,
        ).wait(BULK_LIMIT_S)
        wait_until(lambda: int(on.sink.value(BULK_DONE)) >= events, BULK_LIMIT_S, "bulk work", 0.5)
        end = time.time()
        return percentile(on.finish(begin, end), 99), end - begin


def beside_foreign(rows, seconds):
    """While another table of the database gets so many rows in one transaction: the stream decodes
    them at its COMMIT, and passes none on."""
    with Interactive() as on:
        on.source.rows("create table foreign_rows (n bigint primary key, what text not null)")
        begin = time.time()
        other = on.stage.session(on.stage.source_url)
        insert = f"insert into foreign_rows select n, repeat('x', 100) from generate_series(1, {rows}) n"
        writing = threading.Thread(target=other.rows, args=(insert,))
        writing.start()
        time.sleep(seconds)
        writing.join()
        return percentile(on.finish(begin, max(time.time(), begin + seconds)), 99)
