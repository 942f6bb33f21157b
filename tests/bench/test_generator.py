"""The generator against a server in a thread: nothing is forgotten, and what is lost or late is counted."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bench import generator
from bench.generator import Clients, Heard
from bench.overload import latencies
from bench.requests import numbered
from pmip_tw.addresses import ipv4

LOCALHOST = ipv4("127.0.0.1")
REQUEST = bytes([1]) + bytes(81)


@contextmanager
def server(answer: Callable[[bytes], list[bytes]]) -> Iterator[int]:
    """Its port; ``answer``: what it says to a message."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        here.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                message, source = here.recvfrom(2048)
                if not message:
                    return
                for reply in answer(message):
                    here.sendto(reply, source)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield here.getsockname()[1]
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stop:
                stop.sendto(b"", here.getsockname())
            thread.join()


@contextmanager
def clients(port: int) -> Iterator[Clients]:
    some = Clients([LOCALHOST] * 3, LOCALHOST, port)
    yield some
    some.close()


def test_a_closed_loop_has_its_answers() -> None:
    messages = numbered(REQUEST, 500)
    with server(lambda message: [message]) as port, clients(port) as some:
        heard = some.closed_loop(messages, [number % 3 for number in range(500)], window=20)
    assert sorted(heard.replies) == sorted(messages)
    assert (heard.sent, heard.lost) == (500, 0)
    assert heard.seconds > 0


def test_a_closed_loop_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "SILENCE", 0.1)

    def every_other(message: bytes) -> list[bytes]:
        return [message] if message[23] & 1 else []

    with server(every_other) as port, clients(port) as some:
        heard = some.closed_loop(numbered(REQUEST, 40), [0] * 40, window=10)
    assert len(heard.replies) == 20
    assert heard.lost == 20


def test_what_is_no_reply_is_answered_or_ignored() -> None:
    acknowledged: list[bytes] = []

    def server_of_revocations(message: bytes) -> list[bytes]:
        if message[0] == 15:
            acknowledged.append(message)
            return []
        return [b"\7revocation", b"\3refusal", message]

    def respond(message: bytes) -> bytes | None:
        return {7: b"\x0fack", 3: b""}.get(message[0])

    messages = numbered(REQUEST, 30)
    with server(server_of_revocations) as port, clients(port) as some:
        heard = some.closed_loop(messages, [0] * 30, window=5, respond=respond)
        some.settle(respond)
    assert sorted(heard.replies) == sorted(messages)
    assert acknowledged == [b"\x0fack"] * 30


def test_an_open_loop_counts_from_the_intended_time() -> None:
    messages = numbered(REQUEST, 200)
    with server(lambda message: [message] if message[23] != 7 else []) as port, clients(port) as some:
        heard = some.open_loop(messages, [0] * 200, rate=2000)
    assert heard.sent == 200
    assert heard.lost == 1
    assert heard.seconds >= 198 / 2000  # what is due at an instant may leave just before it
    waited = latencies(messages, heard, 2000)
    assert len(waited) == 199
    assert 0 <= waited[0] <= waited[-1] < 10


def test_what_is_due_at_once_is_sent_at_once_and_arrives_apart() -> None:
    """Also where messages are of different sizes and clients."""
    got: list[bytes] = []

    def listen(message: bytes) -> list[bytes]:
        got.append(message)
        return [message]

    messages = [message[: 82 - number % 3] for number, message in enumerate(numbered(REQUEST, 120))]
    with server(listen) as port:
        some = Clients([LOCALHOST] * 2, LOCALHOST, port, size=82)
        heard = some.open_loop(messages, [number // 10 % 2 for number in range(120)], rate=1e6)
        some.close()
    assert sorted(got) == sorted(messages)
    assert sorted(heard.replies) == sorted(messages)


def test_only_wanted_replies_count() -> None:
    heard = Heard(sent=2)
    heard.replies += [b"\3", b"\1"]
    heard.arrived.extend([0.1, 0.2])
    heard.keep_only(lambda reply: reply == b"\1")
    assert (heard.replies, list(heard.arrived), heard.lost) == ([b"\1"], [0.2], 1)
