"""One UDP port for several processes (SO_REUSEPORT): the kernel gives each the requests of its own mobile nodes.

By default the kernel chooses by addresses and ports, so that all nodes of a MAG would be one worker's, and one node
several workers' in the course of a handover. Our program chooses by NAI instead: it computes ``steered_to`` of
``lma/workers/slices.py``, and a test compares the two. It is classic BPF, which needs no privilege and no compiler.
"""

import errno
import socket
from collections.abc import Sequence
from contextlib import suppress

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.errors import PmipError, PortInUse
from pmip_tw.lma.workers.slices import FACTOR, MOST_WORDS, NAI, PRE_TUNNEL, SECOND_FACTOR, headers
from pmip_tw.net.classic_bpf import (
    Program,
    answer,
    answer_a,
    attach_to_reuseport,
    copy_to_x,
    exclusive_or_x,
    if_equal,
    if_less,
    if_not_less,
    load_number,
    load_octet,
    load_word,
    load_word_behind_x,
    multiply,
    recall,
    recall_x,
    shift_right,
    store,
    unless_equal,
)

_HASH, _LENGTH = 0, 1
"""Places in the program's memory."""

WORKER_0 = 0


def steering(workers: int, pre_tunnel: int = PRE_TUNNEL) -> Program:
    """The index of the worker for every datagram: 0 for whatever is no request that begins with its NAI.

    ``pre_tunnel``: the message type of requests for one.
    """
    program: Program = [load_octet(0)]
    for kind, header in headers(pre_tunnel).items():
        program += if_equal(kind, _by_nai(header, workers))
    return [*program, answer(WORKER_0)]


def _by_nai(header: int, workers: int) -> Program:
    """As ``worker_of_nai``, of the NAI that stands right behind ``header`` octets."""
    nai = header + 2
    program: Program = [load_octet(header)]
    program += unless_equal(NAI, [answer(WORKER_0)])
    program += [load_octet(header + 1), store(_LENGTH)]
    program += if_less(2, [answer(WORKER_0)])
    program += [load_number(0), store(_HASH)]
    for word in range(MOST_WORDS):
        program += [recall(_LENGTH)]
        program += if_not_less(4 * (word + 1), [load_word(nai + 4 * word), *_fold()])
    program += [recall_x(_LENGTH), load_word_behind_x(nai - 4), *_fold()]
    program += [copy_to_x(), shift_right(16), exclusive_or_x(), multiply(SECOND_FACTOR)]
    return [*program, shift_right(16), multiply(workers), shift_right(16), answer_a()]


def _fold() -> Program:
    """A is folded into the hash, and is the hash then."""
    return [recall_x(_HASH), exclusive_or_x(), multiply(FACTOR), store(_HASH)]


def shared_sockets(
    local: Ipv4, port: int, workers: int, pre_tunnel: int = PRE_TUNNEL
) -> Sequence[socket.socket]:
    """One socket for each worker, all bound to ``port`` of ``local``; that of worker i is at i.

    They stay what they are as long as each is open somewhere: a datagram waits for its worker if that is being
    started again. PmipError: they cannot be bound, and why; PortInUse: somebody has the port.
    """
    sockets: list[socket.socket] = []
    try:
        _require_free(local, port)
        for _ in range(workers):
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            sockets.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind((ipv4_text(local), port))
            if len(sockets) == 1:
                attach_to_reuseport(one, steering(workers, pre_tunnel))
        for one in sockets:
            _empty(one)
    except OSError as error:
        for one in sockets:
            one.close()
        where = f"UDP {ipv4_text(local)}:{port}"
        text = f"{where} cannot be shared by {workers} workers: {error.strerror}"
        if error.errno == errno.EADDRINUSE:
            text += f"; another program has the port, ss -ulnp sport = :{port} names it"
        elif error.errno == errno.EADDRNOTAVAIL:
            text += "; is it an address of this machine?"
        raise (PortInUse if error.errno == errno.EADDRINUSE else PmipError)(text) from None
    return sockets


def _empty(one: socket.socket) -> None:
    """What came before all were bound is anybody's: who did not wait for his worker's socket asks again."""
    with suppress(BlockingIOError):
        while True:
            one.recv(1)


def _require_free(local: Ipv4, port: int) -> None:
    """Nobody may have the port already: a stranger in the group would get what is for one of us."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alone:
        alone.bind((ipv4_text(local), port))
