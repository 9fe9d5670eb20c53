"""A TCP proxy that breaks connections on purpose, between a client of the lake and one of its servers.

It knows nothing of what it carries. A rule waits until the client has sent bytes that match a pattern, lets a number of
bytes pass, and then resets the connection, swallows everything from there on (a black hole: nobody is told), throws the
server's reply away, or cuts an upload short. What happened is counted, so that a test can prove that it did.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Self

CHUNK = 16 * 1024
_LONGEST_MATCH = 4096

Action = Literal["reset", "black hole", "lose reply", "truncate", "nothing"]


@dataclass
class Rule:
    """What is done to a connection, and when.

    Attributes:
        action: `reset` closes both sides with RST; `black hole` forwards nothing more and keeps both sides open;
            `lose reply` waits until the server has answered, throws the answer away and resets the client;
            `truncate` closes the server's side in good order in the middle of what the client sends, and resets the
            client; `nothing` only calls `then`.
        when: pattern in the bytes that the client sends from which on the rule counts; empty: from the first byte.
        after: how many bytes are still forwarded after that, in the direction `of`.
        of: `reply` counts what the server sends, `request` what the client sends.
        times: how many times it acts; afterwards connections pass unharmed.
        then: called at the moment of the action, in the proxy's own thread.
        hits: how many times it has acted.
    """

    action: Action
    when: bytes = b""
    after: int = 0
    of: Literal["reply", "request"] = "reply"
    times: int = 1
    then: Callable[[], None] | None = None
    hits: int = field(default=0, init=False)


class Proxy:
    """Forwards a port of its own on loopback to another port, in a thread of its own.

    Args:
        port: where the server listens.
        bytes_per_second: of each direction of each connection; no limit unless given.
    """

    def __init__(self, port: int, *rules: Rule, bytes_per_second: int | None = None) -> None:
        self.rules = list(rules)
        self.bytes_per_second = bytes_per_second
        self.connections = 0
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._server
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task
        self._open.add(task)
        try:
            await _Connection(self, reader, writer).carry(self._target)
        except (OSError, asyncio.CancelledError):
            pass  # a side that is gone is what this proxy is for
        finally:
            self._open.discard(task)
            writer.close()


class _Broken(Exception):
    """The rule has acted: nothing is forwarded any more."""


class _Connection:
    """One client's connection and the one to the server that belongs to it."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._client = (reader, writer)
        self._seen = b""
        self._is_hole = False
        self._armed: dict[int, int] = {}  # rule -> bytes that it still lets pass
        self._arm(b"")

    async def carry(self, port: int) -> None:
        """Forward both ways until one side ends or a rule acts."""
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port, limit=CHUNK)
        self._server = (server_reader, server_writer)
        pumps = [
            asyncio.ensure_future(self._pump("request", self._client[0], server_writer)),
            asyncio.ensure_future(self._pump("reply", server_reader, self._client[1])),
        ]
        try:
            await asyncio.gather(*pumps)
        except _Broken:
            pass
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            server_writer.close()

    async def _pump(self, of: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            if self._is_hole:
                await asyncio.Event().wait()
            if of == "request":
                self._arm(data)
            for number, left in list(self._armed.items()):
                rule = self._proxy.rules[number]
                if rule.of != of:
                    continue
                if len(data) <= left:
                    self._armed[number] = left - len(data)
                    continue
                if rule.hits < rule.times:
                    await self._forward(writer, data[:left])
                    await self._act(rule)
                del self._armed[number]
            await self._forward(writer, data)
        with suppress(OSError):
            writer.write_eof()

    async def _forward(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        if self._proxy.bytes_per_second:
            await asyncio.sleep(len(data) / self._proxy.bytes_per_second)
        writer.write(data)
        await writer.drain()

    def _arm(self, data: bytes) -> None:
        """Begin to count for every rule whose pattern has now been seen."""
        self._seen = (self._seen + data)[-_LONGEST_MATCH - len(data) :]
        for number, rule in enumerate(self._proxy.rules):
            if number in self._armed or rule.hits >= rule.times:
                continue
            found = re.search(rule.when, self._seen, re.DOTALL) if rule.when else True
            if found:
                self._armed[number] = rule.after
                if rule.when:
                    self._seen = b""

    async def _act(self, rule: Rule) -> None:
        rule.hits += 1
        if rule.then:
            await asyncio.get_running_loop().run_in_executor(None, rule.then)
        match rule.action:
            case "nothing":
                return
            case "black hole":
                self._is_hole = True
                await asyncio.Event().wait()  # until the proxy is closed
            case "truncate":
                self._server[1].write_eof()
                _reset(self._client[1])
            case "lose reply":
                _reset(self._client[1])
            case "reset":
                _reset(self._client[1])
                _reset(self._server[1])
        raise _Broken


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN, as a machine does that knows nothing of the connection."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
