"""Which datagrams go in one call, and what happens where the kernel cannot cut them."""

import socket

import pytest

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.net import segments
from pmip_tw.net.segments import MOST_OCTETS, MOST_SEGMENTS, are_cut_by, cut_after, joined
from pmip_tw.net.udp import UdpSocket
from tests.loops import private_reactor

ONE, TWO = Endpoint(ipv4("127.0.4.1"), 434), Endpoint(ipv4("127.0.4.2"), 434)


def test_equal_sizes_of_one_destination_go_together() -> None:
    messages = [(b"aa", ONE), (b"bb", TWO), (b"ccc", ONE), (b"dd", ONE)]
    assert list(joined(messages)) == [(ONE, [b"aa", b"dd"]), (TWO, [b"bb"]), (ONE, [b"ccc"])]


def test_never_more_than_the_kernel_takes() -> None:
    for size in (1, 90, 1_000, 30_000, 60_000, 65_507):
        calls = [together for _, together in joined([(bytes(size), ONE)] * 200)]
        assert sum(map(len, calls)) == 200
        assert all(len(together) <= MOST_SEGMENTS for together in calls)
        assert all(len(together) == 1 or len(together) * size <= MOST_OCTETS for together in calls)


def test_what_is_asked_of_the_kernel_is_what_it_does() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
    ):
        assert are_cut_by(here)
        there.bind(("127.0.4.1", 0))
        there.settimeout(5)
        here.sendmsg((b"aabbccd",), cut_after(2), 0, there.getsockname())
        assert [there.recv(10) for _ in range(4)] == [b"aa", b"bb", b"cc", b"d"]


def test_a_kernel_that_cannot_is_given_them_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would send them as one datagram."""
    monkeypatch.setattr(segments, "UDP_SEGMENT", 0x7FFF)
    assert received_of([b"\x01one", b"\x01two"]) == [b"\x01one", b"\x01two"]


def test_what_is_refused_together_is_sent_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As what goes through IPsec is (EIO): so many pieces no kernel makes."""
    monkeypatch.setattr("pmip_tw.net.udp.cut_after", lambda size: cut_after(1))
    assert received_of([b"\x01" * 500, b"\x02" * 500]) == [b"\x01" * 500, b"\x02" * 500]


def received_of(payloads: list[bytes]) -> list[bytes]:
    with private_reactor() as reactor, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.4.1", 0))
        there.settimeout(5)
        sender = UdpSocket(
            reactor, ipv4("127.0.4.2"), 0, deliver=lambda batch: None, report=lambda report: None
        )
        sender.send_all(
            [(payload, Endpoint(ipv4("127.0.4.1"), there.getsockname()[1])) for payload in payloads]
        )
        found = [there.recv(65_535) for _ in payloads]
        sender.close()
    return found
