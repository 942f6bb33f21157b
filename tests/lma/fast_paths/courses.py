"""What may happen to an LMA: mostly the usual requests, and between them everything else."""

import random
from itertools import count
from typing import Any

from pmip_tw.addresses import Endpoint, Ipv4, ipv4
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.registration import BROADCASTS, COLOCATED, REVERSE_TUNNEL, SIMULTANEOUS
from pmip_tw.wire.revocation import Revocation, RevocationAck
from tests.lma.anchor import BLUE, LMA, MAG1, MAG2, MAG3, NAT
from tests.lma.fast_paths.asking import USUAL, drawn_fields, request
from tests.lma.fast_paths.subject import FIXED, KEYS, NAMES, Subject

Step = tuple[str, tuple[Any, ...]]

BROADCAST = ipv4("192.0.2.255")

ORIGINS = ((MAG1, MAG1, 434), (MAG2, MAG2, 434), (MAG3, NAT, 5000), (MAG2, NAT, 5000), (MAG3, NAT, 5001))
"""Care-of address, and where it is seen."""

BLOCKS = ([], *([ipv4(block)] for block in ("10.1.0.0", "10.1.0.2", "10.1.0.4", "10.1.0.6")))
PAUSES = (0.0, 0.3, 1.0, 1.0, 3.0, 8.0, 70.0, 700.0)


def steps(draw: random.Random, length: int) -> list[Step]:
    """What happens to it, one after another."""
    oddity, disk = draw.choice((0.1, 0.3, 1.0)), draw.choice((0, 0, 4))
    habits = [
        {name: value for name, value in USUAL.items() if draw.random() < 0.7} | {"timestamp": True}
        for _ in range(2)
    ]
    if draw.random() < 0.3:
        habits[0]["flags"] = REVERSE_TUNNEL | COLOCATED | draw.choice((SIMULTANEOUS, BROADCASTS))
    habits.append(habits[0])
    nodes = (*draw.sample(list(NAMES), 2), 1, 1, draw.choice((1, 2, 3, BLUE)))
    origins = draw.sample(ORIGINS, draw.choice((2, 2, 3, 5)))
    odds = {
        "ask": 70, "ask_again": 4, "mutilated": 4, "pass": 12, "clock": 1, "revoke": 1, "lease": 1, "revoked": 2,
        "acknowledge": 4, "slow": disk, "flush": 2 * disk, "lose": disk / 2, "broken": 0.5, "restart": 0.5, "supply": 6,
    }  # fmt: skip
    told: list[Step] = []
    for kind in draw.choices(list(odds), list(odds.values()), k=length):
        node = draw.choice(nodes)
        origin = origins[node % len(origins)] if draw.random() < 0.6 else draw.choice(origins)
        heard = (draw.random(), draw.choice((None, origin)))
        what = {
            "ask": (node, origin, draw.choice([LMA] * 30 + [BROADCAST]),
                    drawn_fields(draw, draw.choice(habits), origin[1], oddity)),
            "ask_again": heard,
            "mutilated": (*heard, draw.random(), draw.randrange(1, 256)),
            "pass": (draw.choice(PAUSES),),
            "clock": (draw.choice((-100.0, -3.0, 5.0, 50.0)),),
            "revoke": (node,),
            "revoked": (node, draw.randrange(-1, 90)),
            "lease": (draw.choice((FIXED, ipv4("10.1.0.2"), ipv4("10.1.0.3"))),),
            "acknowledge": (draw.random(), draw.random(), draw.choice((0, 0, 1, 128))),
            "restart": (draw.choice((0.0, 30.0)), draw.random() < 0.3),
            "supply": (draw.choice(BLOCKS),),
        }.get(kind, ())  # fmt: skip
        told.append((kind, what))
    return told


class Course:
    """One subject through all steps."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.subject = Subject(config)
        self._heard: list[tuple[bytes, Endpoint]] = []
        self._numbers = count(1)

    def take(self, step: Step) -> None:
        kind, what = step
        getattr(self, f"_{kind}")(*what)

    def _ask(self, node: int, origin: tuple[Ipv4, Ipv4, int], local: Ipv4, fields: dict[str, Any]) -> None:
        payload = request(self.subject, next(self._numbers), node, origin[0], fields)
        self._heard.append((payload, Endpoint(*origin[1:])))
        self.subject.hear(payload, *origin[1:], local)

    def _ask_again(
        self, which: float, origin: tuple[Ipv4, Ipv4, int] | None, where: float = 0.0, change: int = 0
    ) -> None:
        """Somebody repeats what he has heard, from there or from elsewhere, perhaps with one octet changed."""
        if not self._heard:
            return
        payload, source = self._heard[-1 - int(which * which * len(self._heard))]
        if origin is not None:
            source = Endpoint(*origin[1:])
        self.subject.hear(_changed(payload, where, change), *source)

    _mutilated = _ask_again

    def _pass(self, seconds: float) -> None:
        self.subject.pass_time(seconds)

    def _clock(self, step: float) -> None:
        self.subject.clock.wall += step

    def _revoke(self, node: int) -> None:
        self.subject._run(self.subject.engine.revoke(NAMES[node], self.subject.clock.now()))

    def _lease(self, home_address: Ipv4) -> None:
        self.subject.lease_ends(AnchorKey(home_address))

    def _slow(self) -> None:
        self.subject.slow = not self.subject.slow
        if not self.subject.slow:
            self.subject.flush()

    def _flush(self) -> None:
        self.subject.flush()

    def _lose(self) -> None:
        self.subject.lose()

    def _broken(self) -> None:
        self.subject.broken = "" if self.subject.broken else "no room"

    def _restart(self, downtime: float, reboot: bool) -> None:
        self.subject.slow, self.subject.broken, self.subject.asks = False, "", []
        self.subject.restart(downtime=downtime, reboot=reboot)

    def _supply(self, blocks: list[Ipv4]) -> None:
        self.subject.supply(blocks)

    def _revoked(self, node: int, ahead: int) -> None:
        """The MAG of ``node`` ends its binding."""
        bound = self.subject.engine.bindings.get(NAMES[node])
        if bound is None or node not in KEYS:
            return
        peer = 0 if bound.revocation is None else bound.revocation.peer_timestamp
        message = Revocation(
            from_home_agent=False,
            nai=NAMES[node],
            home_address=bound.home_address,
            home_domain=LMA,
            foreign_domain=bound.care_of_address,
            identifier=max(0, peer + ahead),
        )
        self.subject.hear(message.encode(mn_ha=KEYS[node]), *bound.source)

    def _acknowledge(self, which: float, where: float, change: int) -> None:
        """The MAG does; perhaps one octet is changed on the way."""
        sent = [send for send in self.subject.sent if send.datagram[0] == MessageType.REVOCATION]
        if not sent:
            return
        send = sent[-1 - int(which * which * len(sent))]
        message = Revocation.decode(send.datagram)
        node = next(node for node, name in NAMES.items() if name == message.nai)
        ack = RevocationAck(home_address=message.home_address, identifier=message.identifier, nai=message.nai)
        payload = ack.encode(mn_ha=KEYS[node])
        self._heard.append((payload, send.destination))
        self.subject.hear(_changed(payload, where, change), *send.destination)


def _changed(payload: bytes, where: float, change: int) -> bytes:
    """With one octet changed, or with none."""
    at = int(where * len(payload))
    return payload[:at] + bytes((payload[at] ^ change,)) + payload[at + 1 :]
