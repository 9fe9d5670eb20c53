"""The proxy itself: a fault that does not happen would make every other test here pass for nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.faults.proxy import Proxy, Rule


class Parrot(threading.Thread):
    """A server that sends back what it gets, and remembers what it got on each connection."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.heard: list[bytes] = []
        self.ended = threading.Event()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.heard.append(b"")
            with connection:
                try:
                    while data := connection.recv(65536):
                        self.heard[-1] += data
                        connection.sendall(data)
                except ConnectionError:
                    pass
            self.ended.set()


@pytest.fixture
def parrot() -> Iterator[Parrot]:
    server = Parrot()
    server.start()
    with closing(server.listener):
        yield server


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def hear(client: socket.socket, most: int = 1 << 20) -> bytes:
    """What arrives until the end, or until ``most`` bytes are there."""
    heard = b""
    while len(heard) < most and (data := client.recv(65536)):
        heard += data
    return heard


def test_without_a_rule_every_byte_passes_both_ways(parrot: Parrot) -> None:
    data = bytes(range(256)) * 1000
    with Proxy(parrot.port) as proxy, connect(proxy) as client:
        threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR))).start()
        assert hear(client) == data
    assert parrot.heard == [data]


def test_a_reset_comes_after_exactly_so_many_bytes_and_only_so_often(parrot: Parrot) -> None:
    rule = Rule("reset", after=5)
    with Proxy(parrot.port, rule) as proxy:
        with connect(proxy) as client:
            client.sendall(b"0123456789")
            heard = b""
            with pytest.raises(ConnectionResetError):
                while True:
                    heard += client.recv(1) or pytest.fail("the connection ended in good order")
            assert b"01234".startswith(heard)  # RST may overtake what is on its way
        with connect(proxy) as client:
            client.sendall(b"0123456789")
            assert hear(client, 10) == b"0123456789"
    assert rule.hits == 1


def test_a_rule_waits_for_its_pattern_even_when_it_comes_in_two_pieces(parrot: Parrot) -> None:
    rule = Rule("lose reply", when=rb"POST /commit")
    with Proxy(parrot.port, rule) as proxy, connect(proxy) as client:
        client.sendall(b"GET /a\n")
        assert hear(client, 7) == b"GET /a\n"
        client.sendall(b"POST /com")
        assert hear(client, 9) == b"POST /com"
        client.sendall(b"mit\n")
        with pytest.raises(ConnectionResetError):
            hear(client)
    assert rule.hits == 1
    assert parrot.heard == [b"GET /a\nPOST /commit\n"]


def test_in_a_black_hole_nothing_passes_and_nobody_is_told(parrot: Parrot) -> None:
    rule = Rule("black hole", after=4)
    with Proxy(parrot.port, rule) as proxy, connect(proxy) as client:
        client.sendall(b"0123456789")
        assert hear(client, 4) == b"0123"
        client.sendall(b"more")
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.recv(1)
        assert parrot.heard == [b"0123456789"]


def test_an_upload_is_cut_and_the_server_sees_a_regular_end(parrot: Parrot) -> None:
    rule = Rule("truncate", when=rb"PUT ", after=7, of="request")
    with Proxy(parrot.port, rule) as proxy, connect(proxy) as client:
        client.sendall(b"PUT 0123456789")
        with pytest.raises(ConnectionResetError):
            hear(client)
    assert parrot.ended.wait(5)
    assert parrot.heard == [b"PUT 012"]


def test_something_can_be_done_at_the_moment_of_the_action(parrot: Parrot) -> None:
    called: list[int] = []
    rule = Rule("nothing", when=b"now", times=2, then=lambda: called.append(len(parrot.heard[0])))
    with Proxy(parrot.port, rule) as proxy, connect(proxy) as client:
        for text in (b"then", b"now", b"now", b"now"):
            client.sendall(text)
            assert hear(client, len(text)) == text
    assert rule.hits == 2
    assert called == [7, 10]


def test_a_slow_link_is_slow(parrot: Parrot) -> None:
    with Proxy(parrot.port, bytes_per_second=100_000) as proxy, connect(proxy) as client:
        began = time.monotonic()
        client.sendall(b"x" * 50_000)
        hear(client, 50_000)
        assert time.monotonic() - began >= 0.5
