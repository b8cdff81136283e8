"""What a connection costs that has made a request and waits for the next.

The memory of the process (PSS), not the kernel's, as more connections of a kind come on top of those
that are open: a first thousand has been there for what is made once.
"""

import asyncio
import ssl
import subprocess

import wire
from ground import most_connections
from h2_wire import H2Connection

TITLE = "memory of an idle connection"
BYTES_MAX = 8 * 1024
AT_A_TIME = 50
LISTENERS = """
listener {{
  address: "127.0.0.1:{secure}" protocol: PROTOCOL_HTTPS
  certificate {{ chain_file: "{folder}/one.pem" key_file: "{folder}/one.key" }}
}}
listener {{ address: "127.0.0.1:{h2c}" protocol: PROTOCOL_H2C }}
"""


def make_certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", f"{folder}/one.key", "-out", f"{folder}/one.pem", "-days", "2",
         "-subj", "/CN=one.example", "-addext", "subjectAltName=DNS:one.example"],
        check=True, capture_output=True,
    )


def trusting(protocol):
    """Any certificate will do; by TLS 1.3."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.set_alpn_protocols([protocol])
    return made


async def open_many(count, open_one):
    """As many connections, each of which has made a request."""
    made, places = [], iter(range(count))

    async def share():
        for _ in places:
            connection = await open_one()
            made.append(connection)
            status = await connection.first_request()
            if status != 200:
                raise RuntimeError(f"a connection got {status}")

    await asyncio.gather(*[share() for _ in range(AT_A_TIME)])
    return made


class Plain(wire.Connection):
    async def first_request(self):
        return (await self.ask(wire.get()))[0]


async def settled(gateway):
    """Its memory, when it is the same twice."""
    before = 0
    for _ in range(20):
        await asyncio.sleep(0.2)
        now = gateway.memory_bytes()
        if abs(now - before) < 16384:
            break
        before = now
    return now


async def measure(ground, gateway, name, few, many, open_one):
    first = await open_many(few, open_one)
    before = await settled(gateway)
    more = await open_many(many, open_one)
    each = (await settled(gateway) - before) / many
    for connection in first + more:
        connection.close()
    ground.measured(f"{name}: bytes a connection", each)
    return each


async def run(ground):
    many = most_connections(ground.pick(10_000, 800))
    few = many // 10
    make_certificate(ground.folder)
    secure, h2c = ground.free_port(), ground.free_port()
    origins = await ground.origins(1)
    more = LISTENERS.format(secure=secure, h2c=h2c, folder=ground.folder)
    kinds = {
        "plain": (many, lambda port: Plain.open(port)),
        "h2 plain": (many // 5, lambda port: H2Connection.open(h2c)),
        "tls": (many // 5, lambda port: Plain.open(secure, trusting("http/1.1"))),
        "h2 tls": (many // 5, lambda port: H2Connection.open(secure, trusting("h2"))),
    }
    for name, (count, open_one) in kinds.items():
        gateway = await ground.gateway(origins, more=more)  # a new one each: nothing is left over
        port = gateway.port
        each = await measure(ground, gateway, name, few, count, lambda: open_one(port))
        if name == "plain":
            ground.check_most("bytes an idle plain connection takes", each, BYTES_MAX)
        await gateway.end()
