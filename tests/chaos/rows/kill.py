"""kill -9 of each service at each step of the story, of two services at once, at random, and of the
picture worker in the middle of a picture: the story completes, and nobody is told twice."""

import concurrent.futures
import contextlib
import functools
import itertools
import os
import pathlib
import signal
import threading
import time

import uploads
from people import wait_until
from probes import play_story, recovered, told_once
from suite import READY_S, SERVICES

TITLE = "kill -9 of services and of the picture worker"
POINTS = [
    *("step 1", "registered", "step 2", "validated", "step 3", "completed"),
    *("step 4", "published", "offered", "accepted"),
    *("step 5", "requested", "unsubscribed", "step 6"),
]
KILLS_SHORT = 3
PAUSE_S = (0.2, 2.0)  # between random kills
PICTURE = (6000, 4000)
BUSY_TICKS = 3  # hundredths of a second of CPU: the worker is in the middle of the picture


def run(chaos):
    picture_worker(chaos)
    comes_back(chaos)
    each_service(chaos)
    two_at_once(chaos)
    at_random(chaos)


def settled_in(chaos, service):
    """Ready, and for so long that its supervisor does not take the end for a start that failed: it
    gives up after a few of those."""
    chaos.suite.ensure_running(service)
    name = chaos.suite.program(service)
    wait_until(lambda: "RUNNING" in chaos.suite.supervise("status", name, check=False), READY_S)


def kill(chaos, service):
    """Kills it once it runs. Others may kill it, too."""
    settled_in(chaos, service)
    with contextlib.suppress(AssertionError, ProcessLookupError):
        chaos.suite.kill(service)


def comes_back(chaos):
    """How long the supervisor and the start take."""
    for service in [chaos.random.choice(SERVICES)] if chaos.short else SERVICES:
        chaos.inject(f"kill -9 of {service}")
        begun = time.monotonic()
        kill(chaos, service)
        ready = functools.partial(chaos.suite.ready, service)
        recovered(chaos, f"{service} killed", ready, 10.0, "it is ready again", begun)


class Killer:
    """A story's point() that kills some services at each point, once."""

    def __init__(self, chaos, services_at):
        """services_at(point): whom."""
        self._chaos = chaos
        self._services_at = services_at
        self.met = set()

    def __call__(self, name):
        if name in POINTS and name not in self.met:
            self.met.add(name)
            for service in self._services_at(name):
                kill(self._chaos, service)


def each_service(chaos):
    """A story for each service. In the short form the stories run side by side, so that they also
    suffer from each other's kills."""

    def story_of(service):
        name = f"{service} killed at each step"
        chaos.inject(f"kill -9 of {service} at {len(POINTS)} points of a story")
        killer = Killer(chaos, lambda point: [service])
        story = play_story(chaos, name, killer)
        all_met = killer.met == set(POINTS)
        chaos.check(f"{name}: killed everywhere", all_met, str(set(POINTS) - killer.met))
        return name, story

    together = len(SERVICES) if chaos.short else 1
    with concurrent.futures.ThreadPoolExecutor(together) as pool:
        told = list(pool.map(story_of, SERVICES))
    chaos.suite.ensure_all()
    for name, story in told:
        if story:
            told_once(chaos, name, story)


def two_at_once(chaos):
    """Pairs in turn; the second dies while the first is away."""
    pairs = list(itertools.combinations(SERVICES, 2))
    chaos.random.shuffle(pairs)
    stories = 1 if chaos.short else len(pairs)
    turns = itertools.cycle(pairs)
    for number in range(1, stories + 1):
        plan = {point: next(turns) for point in POINTS}
        chaos.inject(f"kill -9 of two services at once at {len(POINTS)} points")
        for point, names in plan.items():
            chaos.say(f"            {point}: {' and '.join(names)}")

        def both(point):
            kill_together(chaos, plan[point])
            return ()

        name = f"two killed at once, story {number}"
        story = play_story(chaos, name, Killer(chaos, both))
        chaos.suite.ensure_all()
        if story:
            told_once(chaos, name, story)


def kill_together(chaos, services):
    for service in services:
        settled_in(chaos, service)
    for pid in [chaos.suite.pid(service) for service in services]:
        if pid:
            os.kill(pid, signal.SIGKILL)


def at_random(chaos):
    """Stories go on until so many services were killed at moments that nobody chose."""
    wanted = min(chaos.kills, KILLS_SHORT) if chaos.short else chaos.kills
    if wanted == 0:
        return
    chaos.inject(f"{wanted} random kills")
    done = threading.Event()
    stop = threading.Event()

    def go_on():
        for _ in range(wanted):
            if stop.wait(chaos.random.uniform(*PAUSE_S)):
                return
            service = chaos.random.choice(SERVICES)
            kill(chaos, service)
            chaos.say(f"            {service}")
        done.set()

    killer = threading.Thread(target=go_on)
    killer.start()
    told = []
    try:
        while not done.is_set():
            name = f"random kills, story {len(told) + 1}"
            story = play_story(chaos, name)
            if not story:
                break
            told.append((name, story))
    finally:
        stop.set()
        killer.join(120)
    chaos.check(f"{wanted} kills were done", done.is_set())
    # Looking needs a suite that nobody kills.
    chaos.suite.ensure_all()
    for name, story in told:
        told_once(chaos, name, story)


def picture_worker(chaos):
    """The process that reads a stranger's picture dies while it does; another one begins anew."""
    person = uploads.owner(chaos)
    content = uploads.new_picture(chaos, *PICTURE)
    crashed = {"error": "picture-worker-crashed"}
    before = chaos.suite.metric("upload", "upload_work_failures_total", **crashed)
    main = chaos.suite.pid("upload")
    idle = {pid: ticks(pid) for pid in children(main)}
    chaos.inject("kill -9 of the picture worker in the middle of a picture")
    upload_id = uploads.upload(chaos, person, content)

    def killed():
        for pid in children(main):
            if ticks(pid) - idle.get(pid, 0) >= BUSY_TICKS and ticks(pid) > BUSY_TICKS:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    return True
        return False

    chaos.check("a worker was busy with it", wait_until(killed, 30.0, 0.001))
    uploads.check_done_once(chaos, "worker killed", person, upload_id, content)
    count = chaos.suite.metric("upload", "upload_work_failures_total", **crashed) - before
    chaos.check("the picture was begun once more", count == 1, f"{count:g} times")


def children(pid):
    listed = pathlib.Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for file in listed for word in file.read_text().split()]


def ticks(pid):
    """CPU time of a process, in hundredths of a second."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])
