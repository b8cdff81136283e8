#!/usr/bin/env python3
"""Plays one story through the running suite and tells what happened.

    story.py --base http://127.0.0.1:8400 --sandbox http://127.0.0.1:8450
        --prometheus http://127.0.0.1:8490 --ctl 'deploy/dev/run relaisctl' [--json]

Through the gateway only; what arrived outside is read from the sandbox. The last step asks
Prometheus and is left out without --prometheus. A suite that runs elsewhere needs either --ctl with
a command that reaches it (docker compose run … relaisctl) or a --marketing-key. Exit code 0 when every
step went well, 1 when one failed (it says which and what it saw instead), 2 on wrong usage.
Needs nothing but Python 3.11.
"""

import argparse
import re
import shlex
import subprocess
import sys

from http_client import Gateway, Sandbox
from narrator import Narrator
from steps import Story
from traces import Traces

API_KEY = re.compile(r"\brlk_[0-9A-Za-z]{43}\b")


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        prog="story.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", default="http://127.0.0.1:8400", help="the gateway")
    parser.add_argument("--sandbox", default="http://127.0.0.1:8450", help="the sandbox's page")
    parser.add_argument("--prometheus", help="address of Prometheus")
    parser.add_argument("--marketing-key", help="API key with the marketing role")
    parser.add_argument("--ctl", help="relaisctl (a command), to make that key")
    parser.add_argument("--template", default="newsletter", help="template of the campaign")
    parser.add_argument("--logs", help="folder with the services' logs, to show each hop inside")
    parser.add_argument("--mail-limit-s", type=float, default=1.0, help="validation mail at most")
    parser.add_argument("--patience-s", type=float, default=20.0, help="how long to wait for hops")
    parser.add_argument("--json", action="store_true", help="for machines")
    return parser.parse_args(arguments)


def make_marketing_key(ctl):
    """Asks relaisctl for a key. Raises RuntimeError with what it said."""
    command = [*shlex.split(ctl), "api-keys", "create", "--role", "marketing"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise RuntimeError(f"{' '.join(command)}: {problem}") from problem
    found = API_KEY.search(done.stdout)
    if done.returncode != 0 or not found:
        raise RuntimeError(f"{' '.join(command)} said {(done.stdout + done.stderr).strip()}")
    return found.group(0)


def play(options, narrator, point=lambda name: None, gateway=None):
    """Plays all steps, stopping at the first that fails. Returns the story."""
    gateway = gateway or Gateway(options.base)
    story = Story(gateway, Sandbox(options.sandbox), options, point)
    for number, (title, step) in enumerate(story.steps(), 1):
        if not narrator.run(number, title, step):
            break
    return story


def main():
    options = parse_arguments()
    if not options.marketing_key:
        if not options.ctl:
            print("story.py: give --marketing-key, or --ctl to make one", file=sys.stderr)
            return 2
        try:
            options.marketing_key = make_marketing_key(options.ctl)
        except RuntimeError as problem:
            print(f"story.py: no marketing key: {problem}", file=sys.stderr)
            return 1
    traces = Traces(Sandbox(options.sandbox), options.logs)
    narrator = Narrator(quiet=options.json, traces=traces)
    narrator.look = {
        "mails, pushes, lists": options.sandbox,
        "API": f"{options.base}/v1/openapi.json",
        **({"metrics": options.prometheus} if options.prometheus else {}),
        **({"logs": options.logs} if options.logs else {}),
    }
    story = play(options, narrator)
    narrator.look["your mails"] = f"{options.sandbox}/#mails ({story.client.email})"
    ok = all(step.failure is None for step in narrator.steps)
    if options.json:
        print(narrator.as_json())
    else:
        narrator.end(ok)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
