"""Tells the story: each step, the hops it caused, how long each took, and what went wrong."""

import json
import sys
import time

WIDTH = 98


class StepFailed(Exception):
    """expected and saw are sentences for a person."""

    def __init__(self, expected, saw):
        super().__init__(f"expected {expected}; saw {saw}")
        self.expected = expected
        self.saw = saw


class Step:
    def __init__(self, number, title):
        self.number = number
        self.title = title
        self.hops = []
        self.started = time.perf_counter()
        self.took_ms = 0.0
        self.failure = None

    def hop(self, path, what, ms, trace=None):
        """path: the parts it went through; ms: since the request that caused it was sent; trace:
        (trace id, unix seconds when sent) of a request whose traces can be looked up."""
        told = {"path": path, "what": what, "ms": round(ms, 1)}
        if trace:
            told["trace_id"], told["sent_at"] = trace
        self.hops.append(told)

    def as_dict(self):
        return {
            "number": self.number,
            "title": self.title,
            "ok": self.failure is None,
            "took_ms": round(self.took_ms, 1),
            "hops": self.hops,
            **(
                {"expected": self.failure.expected, "saw": self.failure.saw} if self.failure else {}
            ),
        }


class Narrator:
    """Prints while it goes (unless quiet) and keeps everything for --json."""

    def __init__(self, quiet=False, traces=None, out=None):
        """traces.find({trace id: unix seconds}) gives what is known of them: see traces.py."""
        self.steps = []
        self.look = {}
        self._quiet = quiet
        self._traces = traces
        self._out = out or sys.stdout

    def run(self, number, title, play):
        """Plays one step. True when it succeeded."""
        step = Step(number, title)
        self.steps.append(step)
        self._print(f"\n{number}  {title}")
        try:
            play(step)
        except StepFailed as failure:
            step.failure = failure
        except ConnectionError as problem:
            step.failure = StepFailed("the sandbox to answer", str(problem))
        step.took_ms = (time.perf_counter() - step.started) * 1000
        self._add_traces(step)
        self._tell(step)
        return step.failure is None

    def _tell(self, step):
        for hop in step.hops:
            line = f"   {hop['path']}: {hop['what']}"
            dots = "." * max(2, WIDTH - len(line))
            self._print(f"{line} {dots} {hop['ms']:8.1f} ms")
            for seen in hop.get("inside", []):
                self._print(f"{seen['at_ms']:>14.1f} ms  {seen['where']:<18} {seen['what']}")
        if step.failure:
            self._print(f"   FAILED  expected {step.failure.expected}")
            self._print(f"           saw {step.failure.saw}")
        else:
            self._print(f"   ok, {step.took_ms:.0f} ms in all")

    def end(self, ok):
        self._print("\nWhere to look")
        for what, where in self.look.items():
            self._print(f"   {what:<18} {where}")
        failed = [step for step in self.steps if step.failure]
        if ok:
            self._print(f"\nAll {len(self.steps)} steps passed.")
        else:
            self._print(f"\nStep {failed[0].number} failed: {failed[0].failure}")

    def as_json(self):
        ok = all(step.failure is None for step in self.steps)
        steps = [step.as_dict() for step in self.steps]
        return json.dumps({"ok": ok, "steps": steps, "look": self.look}, indent=2)

    def _print(self, line):
        if not self._quiet:
            print(line, file=self._out, flush=True)

    def _add_traces(self, step):
        """What each part wrote about the requests of the step."""
        wanted = {hop["trace_id"]: hop for hop in step.hops if "trace_id" in hop}
        if self._traces is None or not wanted:
            return
        sent_at = {trace_id: hop["sent_at"] for trace_id, hop in wanted.items()}
        for trace_id, seen in self._traces.find(sent_at).items():
            wanted[trace_id]["inside"] = seen
