"""Reads the histories of a run from its databases."""

import dataclasses
import json

from backbone_checker import History


def us(column):
    return f"(extract(epoch from {column}) * 1000000)::bigint"


class Reader:
    """stage: its databases. Servers may restart, so each question has a session of its own."""

    def __init__(self, stage):
        self._stage = stage

    def source(self, text):
        return self._ask(self._stage.source_url, text)

    def sink(self, text):
        return self._ask(self._stage.sink_url, text)

    def _ask(self, url, text):
        session = self._stage.session(url)
        try:
            return session.rows(text)
        finally:
            session.close()

    def unsettled(self):
        """How many committed events have neither an effect nor a dead letter yet."""
        (written,), = self.source("select count(*) from written")
        (effective,), = self.sink("select count(distinct event_id) from effects")
        (dead,), = self.sink("select count(*) from inbox_dead_letter")
        return int(written) - int(effective) - int(dead)

    def unfired(self):
        (left,), = self.source("select count(*) from planned p where not cancelled and not exists"
                               " (select from fired f where f.timer_id = p.timer_id)")
        return int(left)

    def history(self, healed_at, limit_s, acknowledged, jumps):
        """acknowledged: the writers' file; jumps: of clocks, as the checker wants them."""
        group = self._stage.group
        made = History(groups=[group], healed_at=healed_at, starved_after=limit_s * 1_000_000)
        made.written = [
            (key, int(n), event)
            for key, n, event in self.source("select key, n, event_id from written")
        ]
        made.effects = [
            (int(seq), key, int(n), event, of, int(attempt), int(at))
            for seq, key, n, event, of, attempt, at in self.sink(
                f"select seq, key, n, event_id, consumer_group, attempt, {us('at')} from effects")
        ]
        made.dead = [
            (event, of, int(attempts), reason)
            for event, of, attempts, reason in self.sink(
                "select event_id, consumer_group, attempts, reason from inbox_dead_letter")
        ]
        made.waiting = self._waiting(group)
        made.moves = [
            (int(seq), place, (int(epoch), int(lsn), int(idx)), int(offset) if offset else None)
            for seq, place, epoch, lsn, idx, offset in self.sink(
                "select seq, consumer_group || ' ' || topic || '/' || partition, epoch, lsn, idx,"
                " next_offset from watermark_move")
        ]
        made.planned = [
            (timer, int(due), cancelled == "t")
            for timer, due, cancelled in self.source(
                f"select timer_id, {us('due_at')}, cancelled from planned")
        ]
        made.fired = [
            (int(seq), timer, int(due), int(now), int(at), node)
            for seq, timer, due, now, at, node in self.source(
                f"select seq, timer_id, {us('due_at')}, {us('handler_now')}, {us('db_now')},"
                " fired_by from fired")
        ]
        made.acknowledged = acknowledged.read_text().split()
        made.jumps = jumps
        return made

    def _waiting(self, group):
        parked = self.sink("select event_id, consumer_group from inbox_parked")
        return [(event, of) for event, of in parked if of == group]


def save(history, file):
    file.write_text(json.dumps(dataclasses.asdict(history)))
