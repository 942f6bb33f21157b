"""The checks of RFC 5944 3.8.2 in their order: of two things that are wrong with a request, the earlier one is told.

Each step has one fault; a request with the faults of a step and of every later one must be met by that step.
"""

from collections.abc import Callable

import pytest

from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.lma.mags import KnownMag
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelRequest
from pmip_tw.wire.registration import COLOCATED, GRE, RegistrationReply, RegistrationRequest
from tests.conformance import covers
from tests.lma.anchor import LMA, MAG1, MAG2, MAG3, Anchor, association, reply_in, revocations

ALL = ipv4("192.0.2.255")
KEY = SecurityAssociation(0x2000, Secret(b"key of the first MAG"))
WRONG_KEY = SecurityAssociation(association(1).spi, Secret(b"another key"))
WRONG_AGENT_KEY = SecurityAssociation(0x2000, Secret(b"another MAG's key"))


class Faults:
    """A request, and how it is sent: each fault changes one thing."""

    def __init__(self) -> None:
        self.fields: dict[str, object] = {"revocation": None, "flags": COLOCATED | 0x02}
        self.mn_ha = association(1)
        self.fa_ha = KEY
        self.local = LMA
        self.tail = b""

    def unreadable(self) -> None:
        self.tail = bytes((60, 2, 0, 0))  # not skippable, unknown

    def unnamed_key(self) -> None:
        self.mn_ha = SecurityAssociation(9999, Secret(b"whatever it is"))

    def wrong_key(self) -> None:
        self.mn_ha = WRONG_KEY

    def wrong_time(self) -> None:
        self.fields["skew"] = 60.0

    def wrong_agent_key(self) -> None:
        self.fa_ha = WRONG_AGENT_KEY

    def to_all(self) -> None:
        self.local = ALL

    def wrong_home_agent(self) -> None:
        self.fields["home_agent"] = ipv4("192.0.2.2")

    def reserved_bit(self) -> None:
        self.fields["flags"] = int(self.fields["flags"]) | 0x01  # type: ignore[call-overload]

    def unsupported_method(self) -> None:
        self.fields["per_node"] = (9, b"")

    def encapsulation(self) -> None:
        self.fields["flags"] = int(self.fields["flags"]) | GRE  # type: ignore[call-overload]

    def no_reverse_tunnel(self) -> None:
        self.fields["flags"] = int(self.fields["flags"]) & ~0x02  # type: ignore[call-overload]

    def other_address(self) -> None:
        self.fields["home_address"] = ipv4("172.16.0.1")


STEPS: list[tuple[str, Callable[[Faults], None], int | None]] = [
    ("H2", Faults.unreadable, None),
    ("H3", Faults.unnamed_key, None),
    ("H4", Faults.wrong_key, 131),
    ("H5", Faults.wrong_time, 133),
    ("H6", Faults.wrong_agent_key, 132),
    ("H7", Faults.to_all, 136),
    ("H8", Faults.wrong_home_agent, 136),
    ("H9", Faults.reserved_bit, 134),
    ("H13", Faults.unsupported_method, 149),
    ("H10", Faults.other_address, 129),
    ("H11", Faults.no_reverse_tunnel, 138),
    ("H11", Faults.encapsulation, 139),
]
"""What is checked, by id; what is wrong there; the code of the answer, None for silence."""


def anchor() -> Anchor:
    known = KnownMag(address=MAG1, mode=AuthenticationMode.FA_HA, associations=(KEY,))
    return Anchor(mags=[known], strict_reserved_bits=True, encapsulations=frozenset({Encapsulation.IP_IN_IP}))


def answer(anchor: Anchor, faults: Faults) -> int | None:
    asked: RegistrationRequest = anchor.request(**faults.fields)
    asked.trailing = (faults.tail,) if faults.tail else ()
    payload = asked.encode(mn_ha=faults.mn_ha, fa_ha=faults.fa_ha)
    sent = anchor.hear(payload, MAG1, local=faults.local)
    assert {send.source for send in sent} <= {LMA}
    return RegistrationReply.decode(sent[0].datagram).code if sent else None


@covers("H2", "H3", "H4", "H5", "H6", "H7", "H8", "H9", "H10", "H11", "H13")
@pytest.mark.parametrize("step", range(len(STEPS)), ids=[fault.__name__ for _, fault, _ in STEPS])
def test_the_earlier_fault_is_told(step: int) -> None:
    """Alone, and with everything that comes later wrong as well."""
    _, fault, code = STEPS[step]
    alone, together = Faults(), Faults()
    fault(alone)
    for _, later, _ in reversed(STEPS[step:]):
        later(together)
    for faults in (alone, together):
        fresh = anchor()
        assert answer(fresh, faults) == code
        assert fresh.state() == ([], {})


@covers("H15")
def test_without_a_fault_it_is_accepted() -> None:
    assert answer(anchor(), Faults()) == 1


class TestBroadcast:
    def ask(self, anchor: Anchor, local: Ipv4) -> RegistrationReply:
        [answer] = anchor.hear(anchor.datagram(1, MAG2), MAG2, local=local)
        assert answer.source == LMA
        return reply_in(answer, 1)

    @covers("H7")
    @pytest.mark.parametrize("local", [ALL, Ipv4(0xFFFFFFFF)])
    def test_136_names_our_own_address(self, local: Ipv4) -> None:
        """And leaves from it: nothing can leave from a broadcast address."""
        anchor = Anchor()
        reply = self.ask(anchor, local)
        assert (reply.code, reply.home_agent) == (136, LMA)
        assert anchor.state() == ([], {})

    @covers("H7")
    def test_leaving_is_refused_as_well(self) -> None:
        anchor = Anchor()
        anchor.accept(1, MAG2)
        [answer] = anchor.hear(anchor.datagram(1, MAG2, lifetime=0), MAG2, local=ALL)
        assert reply_in(answer, 1).code == 136
        assert anchor.binding() is not None


@covers("N18", "RV8")
def test_a_co_located_request_through_somebody_else() -> None:
    """It is refused without 144: nothing is bound, and its 137 stays unanswered, so that nothing is ever revoked."""
    anchor = Anchor()
    asked = {"source": MAG3, "revocation": RevocationSupport(5)}
    assert "N18" in anchor.deny(129, 1, MAG1, **asked).cause
    assert anchor.ask(1, MAG1, **asked).revocation is None
    anchor.accept(1, MAG2, revocation=RevocationSupport(5))
    assert revocations(anchor.pass_time(60)) == []


@covers("A1")
def test_every_reply_is_authenticated() -> None:
    """Whatever the code: ``reply_in`` and ``ask`` verify it."""
    fresh = Anchor()
    for fields in (
        {},
        {"skew": 60},
        {"flags": COLOCATED},
        {"lifetime": 0},
        {"udp_tunnel": UdpTunnelRequest()},
    ):
        assert fresh.ask(**fields).mn_ha is not None
