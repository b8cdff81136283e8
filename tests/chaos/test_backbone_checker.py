"""The checker reports each property that a history breaks, and nothing else."""

import copy
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from backbone_checker import History, check, describe  # noqa: E402

HEALED = 1_000_000_000


def good():
    """Two keys, one dead letter, three timers of which one was cancelled."""
    return History(
        written=[("a", 1, "a1"), ("a", 2, "a2"), ("a", 3, "a3"), ("b", 1, "b1")],
        effects=[
            (1, "a", 1, "a1", "g", 1, 10),
            (2, "b", 1, "b1", "g", 2, 20),
            (3, "a", 3, "a3", "g", 1, HEALED + 1),
        ],
        dead=[("a2", "g", 12, "not-in-time")],
        moves=[
            (1, "g t/0", (1, 100, 0), None),
            (2, "g t/0", (1, 100, 1), 5),
            (3, "g t/1", (1, 90, 0), 1),
            (4, "g t/0", (2, 50, 0), 9),
        ],
        planned=[("t1", 100, False), ("t2", 200, True), ("t3", 300, False)],
        fired=[
            (1, "t1", 100, 100, 101, "timers-1"),
            (2, "t3", 300, 999, 250, "timers-2"),  # its clock was ahead
        ],
        acknowledged=["a1", "b1"],
        jumps=[("timers-2", 200, 260)],
        groups=["g"],
        healed_at=HEALED,
    )


def lose(history):
    history.effects.pop()


def starve(history):
    history.effects.pop()
    history.waiting.append(("a3", "g"))


def come_late(history):
    seq, key, n, event, group, attempt, _ = history.effects[-1]
    at = HEALED + history.starved_after + 1
    history.effects[-1] = (seq, key, n, event, group, attempt, at)


def repeat(history):
    history.effects.append((4, "a", 3, "a3", "g", 1, HEALED + 2))


def bury_what_took_effect(history):
    history.dead.append(("b1", "g", 1, "never"))


def bury_nothing(history):
    history.dead.clear()


def invent(history):
    history.effects.append((4, "b", 2, "rolled back", "g", 1, 30))


def bury_what_rolled_back(history):
    history.dead.append(("rolled back", "g", 1, "never"))


def turn_round(history):
    history.effects[0] = (9, "a", 1, "a1", "g", 1, 30)


def move_back(history):
    history.moves.append((5, "g t/0", (2, 49, 7), 9))


def return_to_an_old_epoch(history):
    history.moves.append((5, "g t/0", (1, 500, 0), 9))


def rewind(history):
    history.moves.append((5, "g t/0", (2, 60, 0), 8))


def try_for_ever(history):
    history.dead[0] = ("a2", "g", 13, "not-in-time")


def bury_after_two_crashes(history):
    history.dead[0] = ("a2", "g", 2, "crashed")


def bury_for_anothers_fault(history):
    history.dead[0] = ("a2", "g", 12, "database-disk-full")


def fire_early(history):
    history.fired[0] = (1, "t1", 100, 99, 101, "timers-1")


def fire_early_by_the_right_clock(history):
    history.fired[0] = (1, "t1", 100, 100, 90, "timers-1")


def fire_early_after_the_jump(history):
    history.fired[1] = (2, "t3", 300, 999, 261, "timers-2")


def fire_early_by_anothers_jump(history):
    history.fired[1] = (2, "t3", 300, 999, 250, "timers-1")


def fire_late(history):
    at = HEALED + history.starved_after + 1
    history.fired[0] = (1, "t1", 100, at, at, "timers-1")


def forget_a_commit(history):
    history.acknowledged.append("a4")


def fire_twice(history):
    history.fired.append((3, "t1", 100, 120, 120, "timers-1"))


def forget_a_timer(history):
    history.fired.pop()


def fire_what_was_cancelled(history):
    history.fired.append((3, "t2", 200, 200, 200, "timers-1"))


def fire_for_an_old_time(history):
    history.planned[2] = ("t3", 400, False)


def fire_what_rolled_back(history):
    history.fired.append((3, "t9", 100, 100, 100, "timers-1"))


BROKEN = [
    (lose, "lost", "a/3 a3"),
    (bury_nothing, "lost", "a/2 a2"),
    (starve, "starved", "a/3 a3"),
    (come_late, "starved", "60 s after"),
    (repeat, "twice", "2 effects"),
    (bury_what_took_effect, "twice", "and a dead letter"),
    (invent, "never committed", "rolled back"),
    (bury_what_rolled_back, "never committed", "rolled back"),
    (turn_round, "order", "a/1 a1: after a/3"),
    (move_back, "watermark", "(2, 49, 7) after (2, 50, 0)"),
    (return_to_an_old_epoch, "watermark", "(1, 500, 0) after (2, 50, 0)"),
    (rewind, "watermark", "offset 8 after 9"),
    (bury_after_two_crashes, "buried", "crashed after 2"),
    (bury_for_anothers_fault, "buried", "database-disk-full after 12"),
    (try_for_ever, "attempts", "13 of 12"),
    (fire_early, "timer", "early"),
    (fire_early_by_the_right_clock, "timer", "the clock of timers-1 was right"),
    (fire_early_after_the_jump, "timer", "the clock of timers-2 was right"),
    (fire_early_by_anothers_jump, "timer", "the clock of timers-1 was right"),
    (fire_late, "timer", "60 s late"),
    (forget_a_commit, "forgotten", "a4"),
    (fire_twice, "timer", "2 times"),
    (forget_a_timer, "timer", "t3 never"),
    (fire_what_was_cancelled, "timer", "cancelled"),
    (fire_for_an_old_time, "timer", "moved"),
    (fire_what_rolled_back, "timer", "planned"),
]


def test_a_good_history_breaks_nothing():
    assert check(good()) == {}


@pytest.mark.parametrize("broken,property_name,said", BROKEN, ids=lambda x: getattr(x, "__name__", x))
def test_reports(broken, property_name, said):
    history = good()
    broken(history)
    violations = check(history)
    assert list(violations) == [property_name]
    assert any(said in line for line in describe(violations))


def test_what_was_tried_at_each_end_of_the_process_may_be_buried():
    history = good()
    history.dead[0] = ("a2", "g", 3, "crashed")
    assert check(history) == {}


def test_another_group_does_not_help():
    history = good()
    row = history.effects.pop()
    history.effects.append((*row[:4], "another", *row[5:]))
    assert list(check(history)) == ["lost"]


def test_many_violations_are_summed_up():
    history = good()
    before = copy.deepcopy(history.effects)
    history.written += [("c", n, f"c{n}") for n in range(1, 21)]
    assert history.effects == before
    lines = describe(check(history))
    assert len(lines) == 6 and lines[-1] == "lost: 15 more"
