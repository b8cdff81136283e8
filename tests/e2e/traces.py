"""What is known of a request inside the suite: its services' log lines, and the calls that reached
the providers with its trace id."""

import datetime
import json
import pathlib

LOG_BYTES_READ = 4 * 1024 * 1024
SUMMARY_CHARACTERS = 80
SHOWN_FIELDS = ("method", "route", "status", "duration_ms", "kind", "reason", "outcome", "sent")


class Traces:
    def __init__(self, sandbox, logs=None):
        """logs: folder with one <service>.log of JSON lines each, when it can be read here."""
        self._sandbox = sandbox
        self._logs = pathlib.Path(logs) if logs else None

    def find(self, sent_at):
        """sent_at: {trace id: unix seconds}. {trace id: [{at_ms, where, what}]} in order of time,
        at_ms counted from sent_at."""
        found = {trace_id: [] for trace_id in sent_at}
        for trace_id, at, where, what in [*self._log_lines(), *self._calls(sent_at)]:
            if trace_id in found:
                at_ms = round((at - sent_at[trace_id]) * 1000, 1)
                found[trace_id].append({"at_ms": at_ms, "where": where, "what": what})
        for seen in found.values():
            seen.sort(key=lambda item: item["at_ms"])
        return found

    def _calls(self, sent_at):
        """Requests at the providers, by the traceparent they carried."""
        for entry in self._sandbox.find("journal", since=min(sent_at.values())):
            headers = {name.lower(): value for name, value in entry.get("headers", {}).items()}
            parts = headers.get("traceparent", "").split("-")
            if len(parts) == 4:
                status = entry["status"] or "no answer"
                what = f"{entry['method']} {entry['path'][:50]} → {status}"
                yield parts[1], entry["time"], entry["provider"], what

    def _log_lines(self):
        for path in self._logs.glob("*.log") if self._logs else []:
            for line in _json_lines(path):
                if "trace_id" in line and "timestamp" in line:
                    at = datetime.datetime.fromisoformat(line["timestamp"]).timestamp()
                    yield line["trace_id"], at, str(line.get("service", "")), _summary(line)


def _json_lines(path):
    """The JSON lines at the end of a log file; anything else is skipped."""
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


def _summary(line):
    parts = [str(line.get("event", ""))]
    for name in SHOWN_FIELDS:
        if name in line:
            value = line[name]
            parts.append(f"{value:.1f} ms" if name == "duration_ms" else str(value))
    return " ".join(parts)[:SUMMARY_CHARACTERS]
