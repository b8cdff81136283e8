"""A TCP gate between a program and a server: forwards a port until it is told to misbehave.

Every call returns when its effect is there. Runs on a thread of its own.
"""

import asyncio
import socket
import struct
import threading

PIECE_BYTES = 65536
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: the connection ends with RST instead of FIN


class _Connection:
    """One client with its connection to the server."""

    def __init__(self, client):
        self.client = client
        self.server = None
        self.armed = False  # the client has sent what loses_answer_after() waits for
        self.losing = False  # nothing of the server's next answer may reach the client

    def reset(self):
        for writer in (self.client, self.server):
            if writer is not None:
                raw = writer.get_extra_info("socket")
                if raw is not None and raw.fileno() >= 0:
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                writer.transport.abort()


class TcpGate:
    """`port` is on 127.0.0.1 and stays the same."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.accepted = 0  # connections since the start
        self.answers_lost = 0
        self._delay_s = 0.0
        self._loss = None  # (what arms a connection, what it says next)
        self._connections = set()
        self._tasks = set()
        self._server = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = 0
        self._call(self._start())

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        self.close()

    def open(self):
        """Forward again, everything and at once."""
        self._delay_s, self._loss = 0.0, None
        self._call(self._start())
        self._set_flowing(True)

    def refuse(self):
        """Connections are reset, new ones refused: the server's process died."""
        self._call(self._stop_listening())
        self._call(self._reset_all())

    def black_hole(self):
        """Connections stay and new ones are accepted, but no byte passes: the server hangs."""
        self._set_flowing(False)

    def delay(self, seconds):
        """Every piece of an answer comes that much later."""
        self._delay_s = seconds

    def cut(self):
        """Resets the connections there are; new ones are forwarded."""
        self._call(self._reset_all())

    def lose_answer(self, armed_by, to):
        """On a connection whose client has sent `armed_by`, the next request that holds `to`
        reaches the server, which acts on it; its answer is lost, and the connection with it."""
        self._loss = (armed_by, to)

    def close(self):
        if self._thread.is_alive():
            self.refuse()
            self._call(self._end_tasks())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop.close()

    def _call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self):
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _stop_listening(self):
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _reset_all(self):
        for connection in list(self._connections):
            connection.reset()

    async def _end_tasks(self):
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _set_flowing(self, flowing):
        async def change():
            self._flowing.set() if flowing else self._flowing.clear()

        self._call(change())

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        connection = _Connection(writer)
        self._connections.add(connection)
        self.accepted += 1
        try:
            await self._flowing.wait()
            from_server, connection.server = await asyncio.open_connection(
                "127.0.0.1", self.target_port
            )
            up = self._forward(reader, connection.server, connection, self._look_up)
            down = self._forward(from_server, writer, connection, self._look_down)
            await asyncio.gather(up, down)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            connection.reset()
        finally:
            for side in (writer, connection.server):
                if side is not None:
                    side.close()
            self._connections.discard(connection)
            self._tasks.discard(asyncio.current_task())

    async def _forward(self, reader, writer, connection, look):
        while piece := await reader.read(PIECE_BYTES):
            await self._flowing.wait()
            if not await look(connection, piece):
                connection.reset()
                raise ConnectionResetError
            writer.write(piece)
            await writer.drain()
        writer.write_eof()

    async def _look_up(self, connection, piece):
        """Before what a client says is passed on."""
        if self._loss:
            armed_by, to = self._loss
            if connection.armed and to in piece:
                connection.losing = True
            connection.armed = connection.armed or armed_by in piece
        return True

    async def _look_down(self, connection, piece):
        """Before an answer is passed on; False when it is lost."""
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        if connection.losing:
            self._loss = None
            self.answers_lost += 1
            return False
        return True
