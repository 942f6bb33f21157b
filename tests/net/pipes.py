"""A pipe both ends of which are in this process."""

import socket
from typing import Any

from pmip_tw.net.pipe import Pipe


def socket_pipe(reactor: Any) -> tuple[Pipe, Pipe]:
    """Worker 0's end, and the other."""
    ours, theirs = socket.socketpair()
    return Pipe.of_worker_0(reactor, ours), Pipe.of_another(reactor, theirs)
