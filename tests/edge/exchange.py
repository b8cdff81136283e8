"""Runs one vector through one proxy, and says what came of it.

Behind each goes a sentinel: a request whose answer must be its own, or some connection is out of
step.
"""

from dataclasses import dataclass

from client import Answer, Unreadable, read_answers
from origin import Answer as Script
from origin import Connection, Request, echo
from vectors import AnswerVector, RequestVector, holds

SENTINEL = b"GET /sentinel HTTP/1.1\r\nHost: a\r\n\r\n"
TARGET = "/sentinel"
WAITED = 408
OWN_ERRORS = {500, 502, 503, 504}  # no vector's origin says one of these


def _how(data, doubts):
    """What became of a message that went on."""
    if holds(data, doubts):
        return "as received"
    return "rewritten" if doubts else "accepted"


def _is_sentinels(answer):
    return answer is not None and answer.body == b"GET /sentinel 0\n"


@dataclass
class RequestOutcome:
    vector: RequestVector
    answers: list[Answer]  # none: closed without one
    requests: list[Request]  # whole ones at the origin, without the sentinel
    begun: list[Connection]  # of the origin, with requests that were never whole
    raw: bytes  # all that the origin got, without the sentinel
    in_step: bool

    @property
    def accepted(self):
        """Whether it went on. Then an error may still be said: that of the origin's answer."""
        if not self.answers:
            return bool(self.requests)
        return self.answers[0].from_origin or (self.answers[0].status >= 500 and bool(self.raw))

    @property
    def refused(self):
        return not self.accepted

    def cell(self):
        """In the words of the table."""
        if self.accepted:
            words = _how(self.raw, self.vector.doubts)
        elif not self.answers:
            words = "closed"
        else:
            status = self.answers[0].status
            words = "waits" if status == WAITED else str(status)
        return words + ("" if self.in_step else ", out of step")


def whole(data):
    return [data]


def in_pieces(data):
    """Byte by byte; of long ones 200 pieces."""
    size = 1 + len(data) // 200
    return [data[at : at + size] for at in range(0, len(data), size)]


def run_request(proxy, origin, vector, cut=whole):
    origin.clear()
    with proxy.connect() as client:
        all(client.send(piece) for piece in cut(vector.data))
        data = client.read_all()
    try:
        answers = read_answers(data, [vector.method, "GET"])
    except Unreadable:
        answers = []
    own = _is_sentinels(proxy.ask(SENTINEL))
    # What a proxy gives up ends; nothing is on its way any more.
    settled = origin.wait_until(lambda: all(c.ended or not c.partial for c in origin.connections))
    requests = [each for each in origin.requests if each.target != TARGET]
    sentinels = [each.head for each in origin.requests if each.target == TARGET]
    raw = origin.raw
    for head in sentinels:
        raw = raw.replace(head, b"", 1)
    evil = any("/evil" in each.target for each in requests)
    return RequestOutcome(
        vector=vector,
        answers=answers,
        requests=requests,
        begun=[each for each in origin.connections if each.partial],
        raw=raw,
        in_step=own and settled and len(sentinels) == 1 and not evil,
    )


@dataclass
class AnswerOutcome:
    vector: AnswerVector
    answer: Answer | None  # none: it never became whole
    received: bytes  # all that the client got for the vector
    rest: bytes  # what it got that belongs to no whole answer
    asked: list[Connection]  # those on which the vector's request came
    kept: bool  # the next request came on one of them
    in_step: bool

    @property
    def refused(self):
        if self.answer is None:
            return not holds(self.received, self.vector.doubts)
        return self.answer.status in OWN_ERRORS

    @property
    def dropped(self):
        return all(each.ended for each in self.asked)

    def cell(self):
        if not self.refused:
            words = _how(self.received, self.vector.doubts)
        elif self.answer is None:
            words = "cut" if self.received.startswith(b"HTTP/1.") else "closed"
        else:
            words = str(self.answer.status)
        connection = "kept" if self.kept else "dropped"
        return f"{words}, {connection}" + ("" if self.in_step else ", out of step")


def run_answer(proxy, origin, vector, cut=whole):
    origin.clear()
    asked = []

    def script(request):
        if request.target != "/v":
            return echo(request)
        asked.append(request.connection)
        return Script(cut(vector.data), vector.closes)

    origin.answer = script
    with proxy.connect() as client:
        answer = client.ask(vector.request, vector.method)
        received = bytes(client.received)
        # On the same connection if it lives: one loop, one pool. What came to a 101 may be a tunnel.
        tunnel = answer is not None and answer.status == 101
        reply = None if tunnel else client.ask(SENTINEL)
        rest = client.rest
    reply = reply or proxy.ask(SENTINEL)
    return AnswerOutcome(
        vector=vector,
        answer=answer,
        received=received,
        rest=rest,
        asked=asked,
        kept=any(r.target == TARGET and r.connection in asked for r in origin.requests),
        in_step=_is_sentinels(reply),
    )
