"""python -m relais_sandbox [--port-base 8450]: runs until SIGTERM or SIGINT."""

import argparse
import asyncio
import os
import signal
import sys
import urllib.request

from .app import Sandbox
from .settings import PORT_OFFSETS, Credentials


def parse_arguments():
    parser = argparse.ArgumentParser(prog="relais_sandbox", description=__doc__)
    default_base = int(os.environ.get("RELAIS_PORT_BASE", "8400")) + 50
    parser.add_argument("--port-base", type=int, default=default_base, help="port of the web page")
    parser.add_argument("--host", default=os.environ.get("RELAIS_SANDBOX_HOST", "127.0.0.1"))
    parser.add_argument(
        "--state-dir",
        default=os.environ.get("RELAIS_SANDBOX_STATE", ".relais/sandbox"),
        help="folder for what the accounts hold and the mail server's certificate",
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of fault probabilities")
    parser.add_argument("--rate-limits", choices=("on", "off"), default="on")
    parser.add_argument(
        "--health", action="store_true", help="say whether the one that runs here answers, and end"
    )
    return parser.parse_args()


def answers(arguments):
    host = "127.0.0.1" if arguments.host == "0.0.0.0" else arguments.host
    url = f"http://{host}:{arguments.port_base}/__sim/ports"
    with urllib.request.urlopen(url, timeout=3) as answer:
        return answer.status == 200


async def run(arguments):
    ports = {name: arguments.port_base + offset for name, offset in PORT_OFFSETS.items()}
    sandbox = Sandbox(
        arguments.host, ports, arguments.state_dir, Credentials.from_environment(), arguments.seed
    )
    sandbox.world.settings.rate_limits = arguments.rate_limits == "on"
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    try:
        await sandbox.start()
        print(f"sandbox ready: {sandbox.urls()['web']}", flush=True)
        await stop.wait()
    finally:
        await sandbox.stop()


def main():
    arguments = parse_arguments()
    try:
        if arguments.health:
            return 0 if answers(arguments) else 1
        asyncio.run(run(arguments))
    except OSError as problem:
        print(f"sandbox: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
