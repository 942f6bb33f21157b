"""What the kernel does with datagrams of a shared port, seen through real sockets."""

import random
import select
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.errors import PmipError
from pmip_tw.lma.workers.slices import steered_to, worker_of_nai
from pmip_tw.net import steering as steering_module
from pmip_tw.net.classic_bpf import Program
from pmip_tw.net.steering import shared_sockets, steering
from tests.conformance import covers

HERE = ipv4("127.0.3.9")
HOST = "127.0.3.9"
PORT = 4341


@contextmanager
def group(workers: int, pre_tunnel: int = 250) -> Iterator[Sequence[socket.socket]]:
    sockets = shared_sockets(HERE, PORT, workers, pre_tunnel)
    try:
        yield sockets
    finally:
        for one in sockets:
            one.close()


def delivered(sockets: Sequence[socket.socket], datagrams: Sequence[bytes], sources: int = 1) -> list[int]:
    """At which socket each datagram arrives; ``sources`` of them send in turn."""
    senders = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(sources)]
    found: list[int] = []
    try:
        for number, datagram in enumerate(datagrams):
            senders[number % sources].sendto(datagram, (HOST, PORT))
            ready, _, _ = select.select(sockets, [], [], 5)
            assert len(ready) == 1
            assert ready[0].recv(65536) == datagram
            found.append(sockets.index(ready[0]))
    finally:
        for sender in senders:
            sender.close()
    return found


def messages(number: int, seed: int) -> list[bytes]:
    """Requests with NAIs of every length, of both types and others, whole, cut off and disturbed."""
    chance = random.Random(seed)
    made = []
    for _ in range(number):
        kind = chance.choice((1, 1, 1, 250, 250, 3, 4, 7, 15, 0, 255))
        header = chance.choice((24, 24, 20, 12))
        nai = chance.randbytes(
            chance.choice((0, 1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 67, 68, 253, chance.randrange(254)))
        )
        extension = bytes((chance.choice((131, 131, 131, 131, 147)), len(nai))) + nai
        message = (
            bytes((kind,)) + chance.randbytes(header - 1) + extension + chance.randbytes(chance.randrange(30))
        )
        made.append(message[: chance.randrange(1, len(message) + 1)] if chance.random() < 0.2 else message)
    return made


@pytest.mark.parametrize("workers", [2, 3, 4, 64])
def test_kernel_and_python_agree_about_every_message(workers: int) -> None:
    """Of random messages each goes where ``steered_to`` says, from whatever port it comes."""
    with group(workers) as sockets:
        sent = messages(2_000, seed=workers)
        assert delivered(sockets, sent, sources=7) == [steered_to(message, workers) for message in sent]


@pytest.mark.parametrize("workers", [2, 4])
def test_twenty_thousand_nodes_have_one_worker_each(workers: int) -> None:
    """Whichever MAG asks for a node, and however often, the same worker hears of it; all have equally much to do."""
    nais = [f"mn{number:05}@example.net".encode() for number in range(20_000)]
    requests = [b"\x01" + bytes(23) + bytes((131, len(nai))) + nai + b"\x93\x02\x04\x01" for nai in nais]
    with group(workers) as sockets:
        at_one_mag = delivered(sockets, requests)
        at_many = delivered(sockets, requests[::10], sources=50)
    assert at_one_mag == [worker_of_nai(nai, workers) for nai in nais]
    assert at_many == at_one_mag[::10]
    spread = Counter(at_one_mag)
    assert all(abs(spread[worker] * workers / len(nais) - 1) < 0.05 for worker in range(workers)), spread


def test_a_worker_that_is_gone_for_a_while_loses_nothing_and_moves_nobody() -> None:
    """Its socket is kept open by worker 0: what comes meanwhile waits there."""
    request = request_to(1, workers=3)
    with group(3) as sockets:
        its_own = sockets[1].dup()
        its_own.close()
        assert delivered(sockets, [request]) == [1]


def test_as_long_as_any_process_has_all_sockets_nobody_is_steered_elsewhere() -> None:
    """A socket that nobody has open any more leaves a gap, which the kernel fills with another's."""
    request = request_to(0, workers=3)
    with group(3) as sockets:
        kept = sockets[0].dup()
        sockets[0].close()
        assert delivered([kept, *sockets[1:]], [request]) == [0]
        kept.close()
        assert delivered(sockets[1:], [request]) == [1], (
            "else a worker need not keep the others' sockets open"
        )


def test_what_comes_before_all_are_bound_is_given_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel has fewer sockets to choose from then."""
    attach = steering_module.attach_to_reuseport
    requests = [request_to(worker, workers=3) for worker in range(3)]

    def hasty(one: socket.socket, program: Program) -> None:
        attach(one, program)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for request in requests:
                sender.sendto(request, (HOST, PORT))

    monkeypatch.setattr(steering_module, "attach_to_reuseport", hasty)
    with group(3) as sockets:
        assert select.select(sockets, [], [], 0) == ([], [], [])
        assert delivered(sockets, requests) == [0, 1, 2]


def request_to(worker: int, *, workers: int) -> bytes:
    nai = next(
        nai for nai in (b"mn%d@example.net" % n for n in range(99)) if worker_of_nai(nai, workers) == worker
    )
    return b"\x01" + bytes(23) + bytes((131, len(nai))) + nai


def test_a_port_that_somebody_has_is_not_shared_with_him() -> None:
    """Not even if he would: he would get what is for one of us."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind((HOST, PORT))
        with pytest.raises(PmipError, match=f"UDP {HOST}:{PORT} .* another program has the port"):
            shared_sockets(HERE, PORT, 2)


def test_an_address_that_is_not_ours_is_named() -> None:
    with pytest.raises(PmipError, match=r"UDP 192\.0\.2\.99:4341 .* is it an address of this machine"):
        shared_sockets(ipv4("192.0.2.99"), PORT, 2)


def test_the_program_fits_the_kernel() -> None:
    """It takes 4096 instructions at most; ours is that long only because classic BPF has no loops."""
    assert len(steering(64)) < 500


@covers("N56")
def test_requests_for_pre_tunnels_with_another_number() -> None:
    """What was 250 is nobody's then."""
    with group(4, 120) as sockets:
        sent = messages(500, seed=9)
        renumbered = [bytes((120,)) + one[1:] if one[0] == 250 else one for one in sent]
        expected = [steered_to(message, 4, 120) for message in (*sent, *renumbered)]
        assert delivered(sockets, [*sent, *renumbered], sources=3) == expected
        assert any(worker for one, worker in zip(renumbered, expected[500:], strict=True) if one[0] == 120)
