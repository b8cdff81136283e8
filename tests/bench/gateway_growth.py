"""What a request costs the gateway when there is more of something: connections, routes, services. CPU
seconds of the gateway for a request, the many beside the few."""

import contextlib
import statistics

import gateway_load
import table
from gateway_servers import PORTS, ROUTES

ROUTE = """
route {{
  prefix: "{prefix}" upstream: "{upstream}" limit: "all"
  credentials: CREDENTIALS_EXCHANGE deadline_ms: 10000 body_max_bytes: 65536
}}
"""


def more_routes(count):
    """So many routes beside the one that is asked."""
    more = (ROUTE.format(prefix=f"/v1/jobs{i}/x", upstream="web-api") for i in range(count))
    return ROUTES.format_map(PORTS) + "".join(more)


def more_upstreams(count):
    """So many services, a route each; all of them are the origin."""
    text = ROUTES.format_map(PORTS)
    for i in range(count):
        text += (
            f'upstream {{ name: "s{i}" url_variable: "RELAIS_S{i}_URL"'
            f' default_url: "http://127.0.0.1:{PORTS["origin"]}" admin_port_offset: 1 }}\n'
        )
        text += ROUTE.format(prefix=f"/v1/s{i}", upstream=f"s{i}")
    return text


def in_turn(servers, count):
    """A script for wrk that asks the services one after the other."""
    path = servers.folder / f"in_turn_{count}.lua"
    path.write_text(
        f'local i = 0\nrequest = function() i = (i + 1) % {count}\n'
        'return wrk.format(nil, "/v1/s" .. i) end\n'
    )
    return path


def cost(servers, given, routes, idle=0, script=None):
    """Of a request to a gateway on these routes, with so many idle connections beside ten busy ones."""
    with contextlib.ExitStack() as alone:
        servers.stack, before = alone, servers.stack
        try:
            servers.relais(routes.replace("{", "{{").replace("}", "}}"))
            alone.enter_context(gateway_load.idle_connections("relais", idle))
            gateway_load.saturate(servers, "relais", 1, 10, script)
            return gateway_load.saturate(servers, "relais", given.seconds, 10, script)[1]
        finally:
            servers.stack = before


def rows(servers, given):
    plain = ROUTES.format_map(PORTS)
    pairs = (
        ("growth 10 to 10,000 connections", {"routes": plain}, {"routes": plain, "idle": 9_990}),
        ("growth 1 to 500 routes", {"routes": plain}, {"routes": more_routes(499)}),
        ("growth 1 to 200 upstreams",
         {"routes": more_upstreams(1), "script": in_turn(servers, 1)},
         {"routes": more_upstreams(200), "script": in_turn(servers, 200)}),
    )
    for name, few, many in pairs:
        small, large = [], []
        for _ in range(given.rounds):
            small.append(cost(servers, given, **few))
            large.append(cost(servers, given, **many))
        yield table.row(
            name, statistics.median(large) * 1e6, "the few", statistics.median(small) * 1e6
        )
