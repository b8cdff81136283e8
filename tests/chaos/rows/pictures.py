"""Picture bombs: refused with the reason, in little memory, while other people's uploads go on."""

import concurrent.futures
import statistics
import threading

import picture
from arrivals import pair
from hostile_pictures import bombs, large_progressive_jpeg
from people import wait_until
from samples import above, total
from verdicts import verdict_on

TITLE = "picture bombs"
MEMORY = "upload_picture_memory_bytes"
MEMORY_MAX = 300e6
# Beside the bombs an upload may have to wait for a processor, but not for a bomb's turn.
WAIT_MAX_S = 2.0
NEIGHBOURS = 5
ROUNDS = 10


def run(chaos):
    attacker, neighbour = pair(chaos.gateway, chaos.sandbox)
    quiet_s = [one_avatar(chaos, neighbour) for _ in range(NEIGHBOURS)]
    usual_s = statistics.median(quiet_s)
    chaos.measured("an avatar when nothing else is uploaded", usual_s)
    before = above(chaos.suite, "upload", MEMORY, MEMORY_MAX)
    all_before = total(chaos.suite, "upload", f"{MEMORY}_count")
    for _ in range(1 if chaos.short else ROUNDS):
        throw(chaos, attacker, neighbour, usual_s)
    seen = total(chaos.suite, "upload", f"{MEMORY}_count") - all_before
    chaos.check("the workers' memory is measured", seen > 0, f"{seen} measurements")
    over = above(chaos.suite, "upload", MEMORY, MEMORY_MAX) - before
    chaos.check(f"no worker held more than {MEMORY_MAX / 1e6:.0f} MB", over == 0, f"{over} did")
    idle = wait_until(lambda: chaos.suite.metric("upload", "upload_work_active") == 0, 30.0)
    chaos.check("nothing is left to work on", idle)


def one_avatar(chaos, person):
    """Seconds from completion to ready."""
    verdict, took_s = verdict_on(chaos, person, picture.make_png())
    assert verdict["state"] == "ready", verdict
    return took_s


def throw(chaos, attacker, neighbour, usual_s):
    """All bombs and a large good picture at once, and a neighbour who uploads meanwhile."""
    thrown = bombs()
    chaos.inject(f"{len(thrown)} hostile files at once, and a progressive JPEG of 12 megapixels")
    ended = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        waits = pool.submit(uploads_until, chaos, neighbour, ended)
        verdicts = [
            pool.submit(verdict_on, chaos, attacker, content, content_type)
            for _, content_type, content, _ in thrown
        ]
        large = pool.submit(verdict_on, chaos, attacker, large_progressive_jpeg(), "image/jpeg")
        concurrent.futures.wait([*verdicts, large])
        ended.set()
    for (name, _, _, reason), verdict in zip(thrown, verdicts, strict=True):
        check_refused(chaos, name, reason, verdict)
    check_accepted(chaos, large)
    longest_s = max(waits.result())
    chaos.check(
        f"no other upload waits ({len(waits.result())} uploads)",
        longest_s <= usual_s + WAIT_MAX_S,
        f"{longest_s:.2f} s, usually {usual_s:.2f} s",
    )
    chaos.measured("the slowest avatar beside the bombs", longest_s)


def uploads_until(chaos, person, ended):
    """How long each took, until told to end; at least one."""
    waits = [one_avatar(chaos, person)]
    while not ended.is_set():
        waits.append(one_avatar(chaos, person))
    return waits


def check_refused(chaos, name, reason, verdict):
    with chaos.checking(f"{name}: {reason}"):
        seen, _ = verdict.result()
        assert (seen["state"], seen.get("reason")) == ("rejected", reason), seen


def check_accepted(chaos, verdict):
    with chaos.checking("the progressive JPEG of 12 megapixels passes"):
        seen, took_s = verdict.result()
        assert seen["state"] == "ready" and seen["variants"], seen
        chaos.measured("the progressive JPEG of 12 megapixels", took_s)
