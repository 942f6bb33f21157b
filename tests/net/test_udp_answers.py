"""Answers that leave from the address that was asked (``tells_local``): real sockets on loopback."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pmip_tw.addresses import UNSPECIFIED, Endpoint, ipv4
from pmip_tw.interfaces import Datagram, Unreachable
from pmip_tw.net.udp import UdpSocket
from tests.loops import private_reactor

OURS, THEIRS = ipv4("127.0.9.1"), "127.0.9.9"


class Answering:
    """A socket at all of our addresses; ``reports``: what ICMP has said."""

    def __init__(self, stack: ExitStack) -> None:
        self.reports: list[Unreachable] = []
        self.socket = UdpSocket(
            stack.enter_context(private_reactor()),
            UNSPECIFIED,
            0,
            deliver=self._deliver,
            report=self.reports.append,
            tells_local=True,
        )
        stack.callback(self.socket.close)

    def _deliver(self, batch: list[Datagram]) -> None:
        raise AssertionError("nobody asks")


@pytest.fixture
def answering() -> Iterator[Answering]:
    with ExitStack() as stack:
        yield Answering(stack)


def test_who_does_not_listen_any_more_costs_nobody_else_an_answer(answering: Answering) -> None:
    """ICMP about the one answer is told by the kernel when the next is sent, to whomever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind((THEIRS, 0))
        nobody = Endpoint(ipv4(THEIRS), gone.getsockname()[1])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as somebody:
        somebody.bind((THEIRS, 0))
        somebody.settimeout(5.0)
        listening = Endpoint(ipv4(THEIRS), somebody.getsockname()[1])
        assert answering.socket.send(b"for nobody", nobody, source=OURS) == 0
        assert answering.socket.send(b"for somebody", listening, source=OURS) == 0
        assert somebody.recvfrom(64) == (b"for somebody", ("127.0.9.1", answering_port(answering)))
    assert [report.peer for report in answering.reports] == [nobody]


def answering_port(answering: Answering) -> int:
    with socket.socket(fileno=socket.dup(answering.socket.fileno())) as same:
        port: int = same.getsockname()[1]
        return port
