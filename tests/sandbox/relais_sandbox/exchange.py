"""What happens around every provider request: journal, scripted faults, answers on the wire."""

import socket
import struct

from aiohttp import web

from . import journal
from .faults import KINDS

BODY_BYTES_MAX = 16 * 1024 * 1024
# aiohttp of Debian 13, which the sandbox's image runs on, has plain names only.
FAULT = web.RequestKey("fault", object) if hasattr(web, "RequestKey") else "fault"

HTML_ERROR = (
    "<html><head><title>502 Bad Gateway</title></head>"
    "<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>"
)
BEFORE = {"delay_ms", "reset_before", "html_error", "status"}
HTTP_KINDS = KINDS - {"drop_final_dot", "webhook_lose", "webhook_duplicate"}
SECRET_HEADERS = {"authorization", "api-key"}


def provider_application(world, provider, not_found):
    """An aiohttp application whose every request goes through journal and faults.

    not_found(request, status) answers what no route takes, in the provider's own shape.
    """

    @web.middleware
    async def exchange(request, handler):
        started_at = world.clock.now()
        body = await request.read()
        fault = world.faults.match(provider, request.method, request.path_qs, HTTP_KINDS)
        request[FAULT] = fault
        response, applied = await _answer(request, handler, fault, not_found, world.clock)
        world.journal.record(
            provider,
            request.method,
            request.path,
            started_at=started_at,
            query=dict(request.query),
            headers=_visible_headers(request),
            body=journal.readable(body),
            status=response.status if applied not in ("reset_before", "reset_after") else None,
            answer=journal.readable(response.body) if response.body else None,
            fault=applied,
        )
        return await _send(request, response, fault, applied, world.clock)

    application = web.Application(middlewares=[exchange], client_max_size=BODY_BYTES_MAX)
    return application


async def _answer(request, handler, fault, not_found, clock):
    kind = fault.kind if fault else None
    if kind == "delay_ms":
        await clock.sleep(fault.delay_ms / 1000)
    if kind == "reset_before":
        return web.Response(status=500), kind
    if kind == "html_error" and not fault.process:
        return _html(fault), kind
    if kind == "status" and not fault.process:
        return _scripted(fault), kind
    try:
        response = await handler(request)
    except web.HTTPException as refusal:
        if refusal.status in (404, 405):
            response = not_found(request, refusal.status)
        else:
            response = web.Response(status=refusal.status, text=refusal.text)
    if kind == "html_error":
        response = _html(fault)
    if kind == "status":
        response = _scripted(fault)
    return response, kind


async def _send(request, response, fault, applied, clock):
    if applied in ("reset_before", "reset_after"):
        cut_connection(request.transport, fault.close)
        return response
    if applied == "truncated_json":
        whole = response.body or b""
        return web.Response(
            status=response.status,
            body=whole[: len(whole) // 2],
            content_type="application/json",
        )
    if applied in ("truncated_body", "slow_body"):
        return await _stream(request, response, fault, applied, clock)
    return response


async def _stream(request, response, fault, applied, clock):
    whole = response.body or b""
    stream = web.StreamResponse(status=response.status)
    stream.content_type = "application/json"
    stream.content_length = len(whole)
    await stream.prepare(request)
    if applied == "truncated_body":
        await stream.write(whole[: len(whole) // 2])
        cut_connection(request.transport, fault.close)
        return stream
    pieces = [whole[i : i + 1 + len(whole) // 8] for i in range(0, len(whole), 1 + len(whole) // 8)]
    for piece in pieces:
        await stream.write(piece)
        await clock.sleep(fault.delay_ms / 1000 / len(pieces))
    await stream.write_eof()
    return stream


def failing_recipients(request):
    """Whom a scripted `partial` fault makes fail in this request."""
    fault = request[FAULT]
    return set(fault.recipients) if fault else set()


def cut_connection(transport, how):
    """Ends the connection now: `rst` resets it (SO_LINGER 0), `fin` closes it in order."""
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if how == "rst" and connection is not None:
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()


def _html(fault):
    status = fault.status if fault.status != 500 else 502
    return web.Response(status=status, text=HTML_ERROR, content_type="text/html")


def _scripted(fault):
    headers = dict(fault.headers)
    if fault.body is None:
        return web.Response(status=fault.status, headers=headers)
    if isinstance(fault.body, str):
        return web.Response(status=fault.status, headers=headers, text=fault.body)
    return web.json_response(fault.body, status=fault.status, headers=headers)


def _visible_headers(request):
    return {
        name: "***" if name.lower() in SECRET_HEADERS else value
        for name, value in request.headers.items()
    }
