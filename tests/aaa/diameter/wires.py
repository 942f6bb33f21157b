"""Two Diameter nodes and a wire between them that does what a test says."""

from collections.abc import Iterator

import attrs

from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.node import DiameterNode, Effect, Finished, Outcome, Requested
from pmip_tw.aaa.diameter.peer_effects import Connect, Disconnect, PeerPolicy, Transmit
from pmip_tw.addresses import ipv4
from pmip_tw.mobility.effects import Observe
from pmip_tw.mobility.observations import Observation
from pmip_tw.testing.clock import FakeClock
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp, Avps
from pmip_tw.wire.diameter.codes import Application, Code, Command, Result
from pmip_tw.wire.diameter.message import Header, Message, decode, frame_size

MAG = Identity(
    host="mag1.example.net",
    realm="example.net",
    address=ipv4("198.51.100.10"),
    state_id=1_704_067_200,
    authorization=(Application.NASREQ, Application.EAP),
    accounting=(Application.ACCOUNTING,),
)


def server_identity(name: str = "aaa1") -> Identity:
    return attrs.evolve(MAG, host=f"{name}.example.net", address=ipv4("198.51.100.53"))


class Side:
    """A node, what it was told to do, and what it said."""

    def __init__(self, node: DiameterNode, clock: FakeClock) -> None:
        self.node = node
        self.clock = clock
        self.sent: list[tuple[str, Message]] = []
        self.connecting: list[str] = []
        self.disconnected: list[str] = []
        self.outcomes: dict[int, Outcome] = {}
        self.requested: list[tuple[str, Message]] = []
        self.notes: list[Observation] = []

    def run(self, effects: Iterator[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Transmit):
                assert frame_size(effect.octets) == len(effect.octets)
                self.sent.append((effect.peer, decode(effect.octets)))
            elif isinstance(effect, Connect):
                self.connecting.append(effect.peer)
            elif isinstance(effect, Disconnect):
                self.disconnected.append(effect.peer)
            elif isinstance(effect, Finished):
                assert effect.request not in self.outcomes, "a request ends once"
                self.outcomes[effect.request] = effect.outcome
            elif isinstance(effect, Requested):
                self.requested.append((effect.peer, effect.message))
            elif isinstance(effect, Observe):
                self.notes.append(effect.observation)

    def take(self, peer: str | None = None) -> list[Message]:
        """What was sent since, to that peer."""
        taken = [message for to, message in self.sent if peer in (None, to)]
        self.sent = [(to, message) for to, message in self.sent if peer not in (None, to)]
        return taken

    def names(self, peer: str | None = None) -> list[str]:
        return [message.name for message in self.take(peer)]

    def reasons(self, name: str) -> list[str]:
        return [note.reason for note in self.notes if note.name == name]

    def receive(self, peer: str, message: Message | bytes) -> None:
        octets = message if isinstance(message, bytes) else message.encode()
        self.run(self.node.octets_received(peer, octets, self.clock.now()))

    def ask(self, message: Message, subject: str = "") -> int:
        number, effects = self.node.ask(message, self.clock.now(), subject)
        self.run(effects)
        return number

    def wait(self, seconds: float) -> None:
        """Time goes on, and whatever is due happens."""
        end = self.clock.monotonic + seconds
        while True:
            deadline = self.node.next_deadline()
            if deadline is None or deadline > end:
                break
            self.clock.advance(max(0.0, deadline - self.clock.monotonic))
            before = deadline
            self.run(self.node.wake(self.clock.now()))
            after = self.node.next_deadline()
            assert after is None or after > before or self.clock.monotonic > before, (
                "nothing is done about it"
            )
        self.clock.advance(max(0.0, end - self.clock.monotonic))

    def wait_for_connect(self, peer: str, within: float) -> None:
        """Time goes on until the node wants to connect there."""
        end = self.clock.monotonic + within
        while peer not in self.connecting:
            assert self.clock.monotonic < end, f"no connection to {peer} is wanted"
            self.wait(0.25)

    def open(self, peer: str, *, host: str = "", applications: tuple[int, ...] = (1, 3, 5)) -> None:
        """The peer accepts the connection and our capabilities; its CEA is ours to choose."""
        self.connecting.remove(peer)
        self.run(self.node.connected(peer, self.clock.now()))
        [cer] = self.take(peer)
        assert cer.name == "CER"
        self.receive(peer, cea(cer, host or peer, applications))


def cea(cer: Message, host: str, applications: tuple[int, ...], result: int = Result.SUCCESS) -> Message:
    return cer.answer(
        avps.unsigned32(Code.RESULT_CODE, result),
        avps.text(Code.ORIGIN_HOST, host),
        avps.text(Code.ORIGIN_REALM, "example.net"),
        *(avps.unsigned32(Code.AUTH_APPLICATION_ID, one) for one in applications),
    )


def mag(*hosts: str, clock: FakeClock | None = None, timeout: float = 10.0, **policy: object) -> Side:
    """A MAG's node that knows these peers."""
    clock = clock or FakeClock()
    peers = {host: PeerPolicy(host=host, **policy) for host in hosts}  # type: ignore[arg-type]
    served = frozenset({Command.ABORT_SESSION, Command.RE_AUTH})
    side = Side(DiameterNode(MAG, peers, clock.now(), timeout=timeout, served=served), clock)
    side.run(side.node.start(clock.now()))
    return side


def aar(
    session: str = "mag1.example.net;1;1", *more: Avp, host: str = "", realm: str = "example.net"
) -> Message:
    header = Header(command=Command.AA, application=Application.NASREQ, request=True)
    destination = (avps.text(Code.DESTINATION_HOST, host),) if host else ()
    return Message(
        header=header,
        avps=Avps(
            (
                avps.text(Code.SESSION_ID, session),
                avps.unsigned32(Code.AUTH_APPLICATION_ID, Application.NASREQ),
                *MAG.origin,
                avps.text(Code.DESTINATION_REALM, realm),
                *destination,
                *more,
            )
        ),
    )


def asr(*more: Avp, session: str = "mag1.example.net;1;1", command: int = Command.ABORT_SESSION) -> Message:
    header = Header(
        command=command, application=Application.NASREQ, request=True, hop_by_hop=9, end_to_end=10
    )
    return Message(
        header=header,
        avps=Avps((avps.text(Code.SESSION_ID, session), *server_identity().origin, *more)),
    )


def answer(asked: Message, result: int = Result.SUCCESS, *more: Avp) -> Message:
    session = asked.avps.first(Code.SESSION_ID)
    return asked.answer(
        *([] if session is None else [avps.octets(Code.SESSION_ID, session)]),
        avps.unsigned32(Code.RESULT_CODE, result),
        *server_identity().origin,
        *more,
        error=3000 <= result < 4000,
    )
