"""EAPOL at a MAG that demands 802.1X, from a node that is served and from one that is not, and whatever AAA says.

An input is a row of events: what happens, how many octets follow, and these.
"""

from collections.abc import Iterator

from pmip_tw.aaa.verdicts import Accept, Reject, Unavailable, Verdict
from pmip_tw.mag.effects import Authenticate, Forward, MagEffect
from pmip_tw.mag.visitors import State
from pmip_tw.mobility.effects import Install, Send
from pmip_tw.wire.eap import Eap, EapCode
from pmip_tw.wire.eapol import EAP_PACKET, LOGOFF, PAE_GROUP, START, Eapol
from pmip_tw.wire.ethernet import ETHERTYPE_EAPOL, ethernet_frame
from tests.agents.world import Station
from tests.fuzz.target import Target
from tests.mag.bench import ADDRESS, accept, only
from tests.mag.supplicants import TTLS, EapBench, challenge, dot1x

SERVED, STRANGER = Station(1), Station(2)
FROM_SERVED, FROM_STRANGER, ACCEPTS, REJECTS, CHALLENGES, IS_DOWN, TIME, PACKET = range(8)
SETTLED = 70_000.0


def check(octets: bytes) -> None:
    bench = EapBench(dot1x(max_conversations=4))
    bench.registered()
    open_questions: list[Authenticate] = []
    accepted: set[bytes] = {SERVED.mac}
    refused = False
    for kind, body in events(octets):
        verdict = None
        effects: list[MagEffect] = []
        if kind in (FROM_SERVED, FROM_STRANGER):
            station = SERVED if kind == FROM_SERVED else STRANGER
            effects = bench.hear(ethernet_frame(PAE_GROUP, station.mac, ETHERTYPE_EAPOL, body))
        elif kind == PACKET:
            effects = bench.hear(STRANGER.data(ADDRESS))
        elif kind == TIME:
            effects = bench.wait((body[0] if body else 0) / 8)
            refused = True  # it may have been silent, or logged off
        elif open_questions:
            asked = open_questions.pop(0)
            station = SERVED if asked.key.mac == SERVED.mac else STRANGER
            verdict = verdict_of(kind, body, station)
            if isinstance(verdict, Accept):
                accepted.add(station.mac)
            refused = refused or not isinstance(verdict, Accept)
            effects = bench.decide(asked, verdict)
        open_questions += only(Authenticate, effects)
        if not isinstance(verdict, Accept) and kind != TIME:
            assert only(Install, effects) == only(Forward, effects) == [], "nobody has accepted it"
        for visitor in bench.engine.visitors:
            assert visitor.state is State.AUTHENTICATING or visitor.mac in accepted
        if not refused:
            assert bench.engine.visitors.with_nai(SERVED.nai), "nothing that somebody says ends a visit"
            assert all(request.datagram[1:2] for request in only(Send, effects))
        assert bench.engine._aaa.dot1x.examined <= 5
    bench.wait(SETTLED)
    left = [visitor for visitor in bench.engine.visitors if visitor.state is not State.AUTHENTICATING]
    assert left == []
    assert bench.engine._aaa.dot1x.examined == 0, "somebody is examined for ever"


def events(octets: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + 1 < len(octets):
        end = offset + 2 + octets[offset + 1]
        yield octets[offset] % 8, octets[offset + 2 : end]
        offset = end


def verdict_of(kind: int, body: bytes, station: Station) -> Verdict:
    if kind == ACCEPTS:
        return Accept(accept(station).profile, body)
    if kind == CHALLENGES:
        return type(challenge(0))(body, challenge(0).conversation)
    return Reject("no such user", body) if kind == REJECTS else Unavailable("all servers are silent")


def eapol(kind: int, body: bytes = b"") -> bytes:
    return Eapol(kind=kind, body=body).encode()


def response(identifier: int, kind: int = 1, data: bytes = b"mn2@") -> bytes:
    packet = Eap(code=EapCode.RESPONSE, identifier=identifier, kind=kind, data=data)
    return eapol(EAP_PACKET, packet.encode())


def seeds() -> Iterator[bytes]:
    asks = challenge(7).message
    success = Eap(code=EapCode.SUCCESS, identifier=7).encode()
    honest = [
        (FROM_STRANGER, eapol(START)),
        (FROM_STRANGER, response(1)),
        (CHALLENGES, asks),
        (FROM_STRANGER, response(7, TTLS)),
        (ACCEPTS, success),
    ]
    yield row(honest)
    yield row([(PACKET, b""), *honest[1:3], (TIME, b"\x20"), *honest[3:]])
    yield row([*honest[:4], (REJECTS, b"\4\7\0\4"), (TIME, b"\xff"), *honest[1:]])
    yield row([*honest[:2], (IS_DOWN, b""), (TIME, b"\x30"), (FROM_STRANGER, response(2))])
    for kind in (START, LOGOFF):
        again = [(FROM_SERVED, eapol(kind)), (FROM_SERVED, response(1)), (CHALLENGES, asks)]
        yield row([(TIME, b"\x08"), *again, (FROM_SERVED, response(7, TTLS)), (ACCEPTS, success)])
        yield row([(TIME, b"\x08"), *again, (TIME, b"\x80")])
    for kind in (EAP_PACKET, 3, 5, 255):
        yield row([(FROM_SERVED, eapol(kind, bytes(9))), (FROM_STRANGER, eapol(kind, b"\3\1\0\4"))])
    yield row([(FROM_STRANGER, b"\2\0\xff\xff"), (FROM_STRANGER, b"\2"), (FROM_STRANGER, b"")])


def row(what: list[tuple[int, bytes]]) -> bytes:
    return b"".join(bytes((kind, len(body))) + body for kind, body in what)


TARGET = Target(
    name="eapol",
    about="EAPOL of a served node and of a stranger at a MAG that demands 802.1X, with any verdicts of AAA",
    check=check,
    seeds=seeds,
    floors=("wire", "access", "mag"),
    runs=500,
    longest=600,
)
