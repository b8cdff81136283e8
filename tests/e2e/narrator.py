"""Tells the story: each step, the hops it caused, how long each took, and what went wrong."""

import json
import pathlib
import sys
import time

LOG_BYTES_READ = 4 * 1024 * 1024
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

    def hop(self, path, what, ms, trace_id=None):
        """path: the parts it went through; ms: since the request that caused it was sent."""
        self.hops.append({"path": path, "what": what, "ms": round(ms, 1), "trace_id": trace_id})

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

    def __init__(self, quiet=False, logs=None, out=None):
        self.steps = []
        self.look = {}
        self._quiet = quiet
        self._logs = pathlib.Path(logs) if logs else None
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
        self._add_log_lines(step)
        self._tell(step)
        return step.failure is None

    def _tell(self, step):
        for hop in step.hops:
            line = f"   {hop['path']}: {hop['what']}"
            dots = "." * max(2, WIDTH - len(line))
            self._print(f"{line} {dots} {hop['ms']:8.1f} ms")
            for event in hop.get("log", []):
                self._print(
                    f"        {event['at_ms']:8.1f} ms  {event['service']:<18} {event['event']}"
                )
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

    def _add_log_lines(self, step):
        """What each service wrote about the traces of the step, when its logs can be read here."""
        wanted = {hop["trace_id"]: hop for hop in step.hops if hop["trace_id"]}
        if self._logs is None or not wanted:
            return
        found = {trace_id: [] for trace_id in wanted}
        for path in self._logs.glob("*.log"):
            for line in _last_lines(path):
                trace_id = line.get("trace_id")
                if trace_id in found and "timestamp" in line:
                    found[trace_id].append(line)
        for trace_id, lines in found.items():
            lines.sort(key=lambda line: line["timestamp"])
            start = _seconds(lines[0]["timestamp"]) if lines else 0.0
            wanted[trace_id]["log"] = [
                {
                    "at_ms": round((_seconds(line["timestamp"]) - start) * 1000, 1),
                    "service": str(line.get("service", "")),
                    "event": _summary(line),
                }
                for line in lines
            ]


def _last_lines(path):
    """The parsed JSON lines at the end of a log file; anything else is skipped."""
    try:
        with path.open("rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - LOG_BYTES_READ))
            content = log.read()
    except OSError:
        return
    for raw in content.splitlines():
        if raw.startswith(b"{"):
            try:
                yield json.loads(raw)
            except ValueError:
                continue


def _seconds(timestamp):
    """Seconds of the day of an RFC 3339 time in UTC."""
    clock = timestamp.split("T")[1].rstrip("Z")
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _summary(line):
    hidden = {"timestamp", "severity", "service", "instance", "event", "trace_id", "span_id"}
    fields = [f"{name}={value}" for name, value in line.items() if name not in hidden]
    return f"{line.get('event', '')} {' '.join(fields)}".strip()[:110]
