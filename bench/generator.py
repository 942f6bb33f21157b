"""Sends what others have prepared, and keeps what comes back; nothing else is done while a server is measured.

A **closed loop** keeps a window of messages on their way: it finds out what a message costs. An **open loop** sends
at a rate, whatever comes back: latency counts from the instant at which a message was to be sent, so that waiting
behind others is not forgotten, and overload is possible. Replies are judged afterwards.
"""

import gc
import select
import socket
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import attrs

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.net.segments import UDP_SEGMENT

PATIENCE = 1.0
"""Seconds after which an answer is too late for whoever asked."""

SILENCE = 10.0
"""Seconds without any answer after which a closed loop goes on: as long as a busy machine may keep a server waiting."""

LATE = 0.001
"""Seconds by which a message may be sent after its time."""

_BUFFER = 8 << 20
_BURST = 64
"""Messages sent or read before the other gets its turn."""

_LARGEST = 2048
_SO_RCVBUFFORCE = 33  # asm-generic/socket.h

Respond = Callable[[bytes], bytes | None]
"""What a message is answered with that is no reply, b"" if with nothing; None: it is a reply."""


@attrs.define(slots=True)
class Heard:
    """``replies`` as they came, to so many that were ``sent``, some of them ``late``.

    ``seconds``: from the first message to the last reply; of an open loop, to the last message.
    """

    sent: int = 0
    late: int = 0
    seconds: float = 0.0
    replies: list[bytes] = attrs.field(factory=list)
    arrived: "array[float]" = attrs.field(factory=lambda: array("d"))

    def keep_only(self, wanted: Callable[[bytes], bool]) -> None:
        """Forget the other replies."""
        kept = [at for at, reply in enumerate(self.replies) if wanted(reply)]
        self.arrived = array("d", [self.arrived[at] for at in kept])
        self.replies = [self.replies[at] for at in kept]

    @property
    def lost(self) -> int:
        return max(0, self.sent - len(self.replies))


class Clients:
    """A socket for each of ``addresses``, to one server. A message is sent by number ``via`` of them.

    ``size``: octets of a message, none is longer; then what is due at once is given to the kernel at once, which cuts
    it. That takes a fraction of the time, and suffices to put twice as much on a server as the fastest can do.
    """

    def __init__(
        self, addresses: Sequence[Ipv4], server: Ipv4, port: int, *, own_port: int = 0, size: int = 0
    ) -> None:
        self.sockets = [_connected(address, own_port, server, port) for address in addresses]
        self._poll = select.poll()
        for one in self.sockets:
            self._poll.register(one, select.POLLIN)
        self._size = size
        try:
            for one in self.sockets if size else ():
                one.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
        except OSError:  # a kernel that does not know it
            self._size = 0

    def close(self) -> None:
        for one in self.sockets:
            one.close()

    def closed_loop(
        self,
        messages: Sequence[bytes],
        via: Sequence[int],
        window: int,
        *,
        respond: Respond | None = None,
        every: int = 1,
    ) -> Heard:
        """Send all ``messages``, at most ``window`` unanswered; one of ``every`` so many is answered."""
        heard = Heard()
        replies = heard.replies
        senders = [one.send for one in self.sockets]
        total, sent, lost, last = len(messages), 0, 0, 0.0
        with _undisturbed():
            began = last = time.perf_counter()
            while len(replies) * every + lost < total:
                room = min(total, len(replies) * every + lost + window, sent + _BURST)
                while sent < room:
                    senders[via[sent]](messages[sent])
                    sent += 1
                before = len(replies)
                self._read(replies, respond)
                if len(replies) > before:
                    last = time.perf_counter()
                elif time.perf_counter() - last > SILENCE:
                    lost, last = sent - len(replies) * every, time.perf_counter()
                elif sent == total or sent - len(replies) * every - lost >= window:
                    self._poll.poll(10)
            heard.seconds = last - began
        heard.sent = total // every
        return heard

    def open_loop(
        self,
        messages: Sequence[bytes],
        via: Sequence[int],
        rate: float,
        *,
        others: Sequence[Callable[[bytes], object]] = (),
    ) -> Heard:
        """Send ``messages``, ``rate`` in a second, and wait for what is still to come.

        ``others``: further ways to send, numbered behind the sockets, each message by itself; nobody listens there.
        ``arrived``: when each reply came, since the beginning. What is late is sent at once, and counted.
        """
        heard = Heard()
        replies, arrived = heard.replies, heard.arrived
        senders = [*(one.send for one in self.sockets), *others]
        joining = len(self.sockets)
        total, size, sent, late = len(messages), self._size, 0, 0
        with _undisturbed():
            began = time.perf_counter()
            silence = 0.0
            while sent < total or (len(replies) < total and silence < PATIENCE):
                now = time.perf_counter() - began
                due = min(total, int(now * rate) + 1, sent + _BURST)
                if due > sent:
                    heard.seconds = now
                    if now - sent / rate > LATE:
                        late += due - sent
                while sent < due:
                    sender, last = via[sent], sent + 1
                    # A shorter one ends what the kernel can cut.
                    while last < due and via[last] == sender < joining and len(messages[last - 1]) == size:
                        last += 1
                    # When our own buffer is full it is lost, as a network loses.
                    with suppress(BlockingIOError):
                        senders[sender](messages[sent] if last == sent + 1 else b"".join(messages[sent:last]))
                    sent = last
                before = len(replies)
                self._read(replies, None)
                now = time.perf_counter() - began
                arrived.extend([now] * (len(replies) - before))
                silence = now - max(heard.seconds, arrived[-1] if arrived else 0.0)
        heard.sent, heard.late = total, late
        return heard

    def settle(self, respond: Respond) -> None:
        """Answer what still comes, until nothing has come for a while."""
        nothing: list[bytes] = []
        while self._poll.poll(50):
            self._read(nothing, respond)

    def _read(self, replies: list[bytes], respond: Respond | None) -> None:
        for one in self.sockets:
            receive = one.recv
            try:
                for _ in range(_BURST):
                    message = receive(_LARGEST)
                    answer = None if respond is None else respond(message)
                    if answer is None:
                        replies.append(message)
                    elif answer:
                        one.send(answer)
            except BlockingIOError:
                continue


def sink_rate(message: bytes, address: Ipv4) -> float:
    """Messages a second that the generator itself could send and read: to a socket that nobody serves, and back."""
    count = 2000
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
    ):
        there.bind((ipv4_text(address), 0))
        _enlarge(there)
        here.connect(there.getsockname())
        there.setblocking(False)
        began = time.process_time()
        with _undisturbed():
            for _ in range(count):
                here.send(message)
            for _ in range(count):
                there.recv(_LARGEST)
        return count / (time.process_time() - began)


def _connected(address: Ipv4, own_port: int, server: Ipv4, port: int) -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    _enlarge(one)
    one.bind((ipv4_text(address), own_port))
    one.connect((ipv4_text(server), port))
    one.setblocking(False)
    return one


def _enlarge(one: socket.socket) -> None:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
    try:
        one.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    except PermissionError:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hundreds of thousands of prepared messages are nothing that a collection could find garbage in."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
