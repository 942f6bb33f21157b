"""What a Diameter peer says that has our trust and no good intentions: a stream after its CEA, down to the profile."""

from collections.abc import Iterator

import attrs

from pmip_tw.aaa.diameter import answers
from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.node import Answered, DiameterNode, Effect, Finished, Requested
from pmip_tw.aaa.diameter.peer_effects import PeerPolicy, Transmit
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.addresses import ipv4
from pmip_tw.errors import AccessDenied
from pmip_tw.testing.clock import FakeClock
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp, Avps
from pmip_tw.wire.diameter.codes import Application, Code, Command
from pmip_tw.wire.diameter.message import Header, Message, decode
from tests.fuzz.target import Target
from tests.fuzz.wire import in_time
from tests.vectors import vectors

PEER = "aaa1.example.net"
SESSION = "mag1.example.net;1;1;mac"
US = Identity(
    host="mag1.example.net",
    realm="example.net",
    address=ipv4("198.51.100.10"),
    state_id=1,
    authorization=(Application.NASREQ, Application.EAP),
)
THEM = attrs.evolve(US, host=PEER)
SERVED = frozenset({Command.ABORT_SESSION, Command.RE_AUTH})


def asked() -> Message:
    header = Header(command=Command.AA, application=Application.NASREQ, request=True)
    realm = avps.text(Code.DESTINATION_REALM, "example.net")
    return Message(header=header, avps=Avps((avps.text(Code.SESSION_ID, SESSION), *US.origin, realm)))


def opened() -> tuple[DiameterNode, FakeClock, list[Effect]]:
    """A node whose peer has said CEA, and of which an AAR waits for its answer."""
    clock = FakeClock()
    node = DiameterNode(US, {PEER: PeerPolicy(host=PEER, keys=True)}, clock.now(), served=SERVED)
    effects = [*node.start(clock.now()), *node.connected(PEER, clock.now())]
    [cer] = [decode(effect.octets) for effect in effects if isinstance(effect, Transmit)]
    cea = cer.answer(
        avps.unsigned32(Code.RESULT_CODE, 2001),
        *THEM.origin,
        avps.unsigned32(Code.AUTH_APPLICATION_ID, Application.NASREQ),
    )
    effects = [*node.octets_received(PEER, cea.encode(), clock.now()), *node.ask(asked(), clock.now())[1]]
    return node, clock, effects


def check(octets: bytes) -> None:
    in_time(decode, octets)
    node, clock, effects = opened()
    [aar] = [decode(effect.octets) for effect in effects if isinstance(effect, Transmit)]
    # Whatever message it is, it may have the identifiers of what was asked: nobody else could guess them.
    mended = bytearray(octets)
    if len(mended) >= 20 and not mended[4] & 0x80:
        mended[12:20] = aar.encode()[12:20]
    for effect in list(node.octets_received(PEER, bytes(mended), clock.now())):
        if isinstance(effect, Transmit):
            assert not decode(effect.octets).header.request, "nobody who asks us anything makes us ask"
        elif isinstance(effect, Requested):
            assert effect.message.header.command in SERVED
        elif isinstance(effect, Finished):
            judge(effect)


def judge(finished: Finished) -> None:
    assert isinstance(finished.outcome, Answered)
    assert finished.outcome.message.header.command == Command.AA
    reading = answers.read(finished.outcome)
    if isinstance(reading, answers.Denied | answers.Failed):
        assert reading.cause
    elif isinstance(reading, answers.Granted):
        assert 2000 <= reading.message.result < 3000
        try:
            answers.profile_in(reading, ProfileRules(), "02-00-00-00-00-01", SESSION)
        except AccessDenied as denied:
            assert str(denied)


def seeds() -> Iterator[bytes]:
    yield from (bytes.fromhex(vector["hex"]) for vector in vectors("diameter"))
    accept = asked().answer(
        avps.text(Code.SESSION_ID, SESSION),
        avps.unsigned32(Code.RESULT_CODE, 2001),
        *THEM.origin,
        avps.text(Code.USER_NAME, "mn1@example.net"),
        Avp(code=7, vendor=5535, data=b"\xc0\0\2\1"),
        Avp(code=57, vendor=5535, data=b"\0\0\x10\1"),
        Avp(code=58, vendor=5535, data=b"0123456789abcdef"),
        Avp(code=10, vendor=24757, data=b"0123456789abcdef"),
        Avp(code=11, vendor=24757, data=b"\0\0\x10\2"),
        avps.unsigned32(Code.AUTHORIZATION_LIFETIME, 600),
    )
    yield accept.encode()
    for result in (1001, 3002, 4001, 5014):
        failed = avps.grouped(Code.FAILED_AVP, avps.text(Code.SESSION_ID, SESSION))
        said = avps.text(Code.ERROR_MESSAGE, "no")
        yield asked().answer(avps.unsigned32(Code.RESULT_CODE, result), *THEM.origin, said, failed).encode()
    for command in (
        *SERVED,
        Command.DEVICE_WATCHDOG,
        Command.DISCONNECT_PEER,
        Command.CAPABILITIES_EXCHANGE,
        300,
    ):
        header = Header(command=command, application=0, request=True)
        session = avps.text(Code.SESSION_ID, SESSION)
        yield Message(header=header, avps=Avps((session, *THEM.origin, avps.unsigned32(273, 0)))).encode()


TARGET = Target(
    name="diameter",
    about="what a Diameter peer says, with the identifiers of our request, down to the profile",
    check=check,
    seeds=seeds,
    floors=("wire", "aaa"),
    longest=600,
)
