"""A live replay that loses its process, its broker and its database on the way: it says what it waits
for, goes on where it was, and in the end every event was replayed once."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "backbone"))

from nodes import Stage, wait_until  # noqa: E402

TITLE = "a replay whose broker and database go away"
PARTITIONS = 3
EVENTS, EVENTS_SHORT = 20_000, 3_000
NOISE = 4_000  # bytes of each event: far more than is fetched ahead
AWAY_S = 3.0  # long enough to be told as waiting
LIMIT_S = 120


def run(chaos):
    events = EVENTS_SHORT if chaos.short else EVENTS
    with Stage(PARTITIONS) as stage:
        stage.produce("--events", events, "--noise-bytes", NOISE)
        without_broker(chaos, stage)
        replay_killed(chaos, stage, events)
        replay_waits(chaos, stage, events)
        sink = stage.session(stage.sink_url)
        count = "select count(*), count(distinct event_id) from effects"
        seen = sink.rows(count)[0]
        chaos.check("each event was replayed once", seen == [str(events)] * 2, str(seen))
        wrong = sink.value("select count(*) from (select n, lag(n) over (partition by key order by"
                           " seq) as before from effects) e where n < before")
        chaos.check("in the order of their keys", wrong == "0", wrong)
        left = sink.value("select count(*) from inbox_seen")
        chaos.check("nothing is left of the throw-away group", left == "0", left)


def replay(stage):
    return stage.consumer("--replay", "again")


def effects(stage):
    """A session of its own: the server may have been away."""
    sink = stage.session(stage.sink_url)
    try:
        return int(sink.value("select count(*) from effects"))
    finally:
        sink.close()


def without_broker(chaos, stage):
    """It does not begin, and says why."""
    chaos.inject("a replay is begun while no broker is there")
    brokers, stage.brokers = stage.brokers, "127.0.0.1:1"
    try:
        replay(stage).wait(LIMIT_S)
        said = "nothing"
    except RuntimeError as refused:
        said = str(refused)
    finally:
        stage.brokers = brokers
    chaos.check("it ends with an error", "ended with 1" in said, said)
    chaos.check("and nothing is done", effects(stage) == 0)


def replay_killed(chaos, stage, events):
    first = replay(stage)
    wait_until(lambda: effects(stage) > events / 10, LIMIT_S, "the first tenth", 0.02)
    chaos.inject("kill -9 of the replay")
    first.kill()


def replay_waits(chaos, stage, events):
    """Begun again under its name, it outlasts both servers."""
    done = effects(stage)
    again = replay(stage)
    wait_until(lambda: effects(stage) > done + events / 20, LIMIT_S, "it to go on", 0.02)
    for server in ("kafka", "postgres"):
        chaos.inject(f"{server} is stopped for {AWAY_S:g} s")
        chaos.suite.stop(server)
        time.sleep(AWAY_S)
        chaos.suite.start(server)
    begun = time.monotonic()
    said = again.wait(LIMIT_S)
    chaos.measured("the rest of the replay", time.monotonic() - begun)
    chaos.check("nothing failed", said["failed"] == 0, str(said))
    chaos.check("all is done or was done before", said["done"] + said["skipped"] == events, str(said))
    chaos.check("it said that it waited for both", said["waited_for"] == "broker database", str(said))
