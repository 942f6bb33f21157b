"""First registrations and moves that nobody reads as a whole: they get what reading them would get."""

from typing import Any

import pytest

from pmip_tw.addresses import Endpoint, Ipv4, ipv4, prefix
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.mags import KnownMag
from pmip_tw.lma.registration.commitment import Commit
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelRequest
from pmip_tw.wire.registration import BROADCASTS, COLOCATED, GRE, REVERSE_TUNNEL, SIMULTANEOUS
from tests.conformance import covers
from tests.lma.anchor import (
    BLUE,
    FIRST_ADDRESS,
    LMA,
    MAG1,
    MAG2,
    NAT,
    Anchor,
    association,
    nai,
    places,
    reply_in,
    revocations,
)

SUPPORT = RevocationSupport(5)
SHA1 = Algorithm.HMAC_SHA1
KEY = SecurityAssociation(0x2000, Secret(b"key of the first MAG"))


def acquainted(**settings: Any) -> Anchor:
    """Both MAGs have asked for node 9, so that their words are known."""
    anchor = Anchor(**{"home": "10.1.0.0/28", "handover_min_interval": 0.0} | settings)
    for mag in (MAG2, MAG1):
        anchor.accept(9, mag, revocation=SUPPORT)
    return anchor


def is_known(anchor: Anchor, payload: bytes, source: Ipv4 = MAG1, port: int = 434, local: Ipv4 = LMA) -> bool:
    """Whether it is decided before anybody has read it."""
    origin, now = Endpoint(source, port), anchor.clock.now()
    decided = anchor.engine.recognize(payload, origin, local, now)
    if isinstance(decided, Commit):
        anchor._run([decided])
        return not decided.renews
    anchor._run(anchor.engine.receive(payload, origin, local, now) if decided is None else decided)
    return False


def asking(anchor: Anchor, node: int = 1, mag: Ipv4 = MAG1, **fields: Any) -> bytes:
    return anchor.datagram(node, mag, **({"revocation": SUPPORT} | fields))


def reader(anchor: Anchor) -> Anchor:
    """The same, but for whom every request is read."""
    anchor.engine._newcomers.decide = lambda *arguments: None  # type: ignore[method-assign]
    return anchor


class TestKnown:
    def test_another_node_at_the_same_mag(self) -> None:
        anchor = acquainted()
        assert is_known(anchor, asking(anchor))
        assert anchor.binding(1) is not None and len(anchor.installed) == 2

    @covers("P35", "P36")
    def test_a_node_that_moves(self) -> None:
        """The MAG before is told, behind the answer."""
        anchor = acquainted()
        assert is_known(anchor, asking(anchor))
        anchor.sent.clear()
        assert is_known(anchor, asking(anchor, mag=MAG2, home_address=FIRST_ADDRESS + 1), MAG2)
        answer, told = anchor.sent
        assert reply_in(answer, 1).code == 1 and answer.destination == Endpoint(MAG2, 434)
        assert [one.foreign_domain for one in revocations([told])] == [MAG1]
        assert places(anchor) == [MAG2]

    @covers("N28", "P35")
    @pytest.mark.parametrize("revocable", [False, True])
    def test_a_move_behind_one_nat(self, revocable: bool) -> None:
        """The tunnel stays the same, so that the packet plane is told nothing; it is a move all the same."""
        anchor = Anchor(handover_min_interval=0.0)
        fields = {"udp_tunnel": UdpTunnelRequest(), "revocation": SUPPORT if revocable else None}
        for mag in (MAG2, MAG1):
            anchor.accept(9, mag, source=NAT, **fields)
        for node, mag in ((1, MAG1), (1, MAG2)):
            before = dict(anchor.installed)
            assert is_known(anchor, anchor.datagram(node, mag, **fields), NAT)
        assert anchor.installed == before and places(anchor) == [MAG2]
        assert [one.foreign_domain for one in revocations(anchor.sent[-1:])] == [MAG1] * revocable
        assert "binding-moved" in anchor.names()[-2:]

    def test_a_name_of_another_length(self) -> None:
        """It is another form: its first is read."""
        anchor = Anchor(nodes=12, home="10.1.0.0/28")
        anchor.accept(1, MAG1, revocation=SUPPORT)
        assert not is_known(anchor, asking(anchor, 11))
        assert is_known(anchor, asking(anchor, 12))

    @covers("RV6", "RV7")
    def test_timestamps_are_its_own(self) -> None:
        anchor = acquainted()
        anchor.clock.advance(50)
        assert is_known(anchor, asking(anchor, revocation=RevocationSupport(55)))
        binding, reply = anchor.binding(), reply_in(anchor.sent[-1], 1)
        assert binding is not None and binding.revocation is not None and reply.revocation is not None
        assert binding.revocation.peer_timestamp == 55
        assert binding.revocation.own_timestamp == reply.revocation.timestamp == int(anchor.clock.wall)

    def test_what_cannot_be_saved(self) -> None:
        """It is refused by 130, with everything as before."""
        anchor = acquainted()
        assert is_known(anchor, asking(anchor))
        before = anchor.state()
        anchor.slow = True
        for payload, mag in ((asking(anchor, 2), MAG1), (asking(anchor, 1, MAG2), MAG2)):
            assert is_known(anchor, payload, mag)
            [answer] = anchor.lose()
            assert answer.datagram[1] == 130 and anchor.state() == before
        assert anchor.names()[-1] == "registration-refused"

    def test_what_the_packet_plane_does_not_take(self) -> None:
        anchor = acquainted()
        before = anchor.state()
        anchor.broken = "no room"
        assert is_known(anchor, asking(anchor))
        assert reply_in(anchor.sent[-1], 1).code == 130 and anchor.state() == before

    def test_a_move_while_the_one_before_is_being_saved(self) -> None:
        """Only the newer one is answered; the MAG that was never answered is told nothing."""
        anchor = acquainted()
        anchor.slow = True
        assert is_known(anchor, asking(anchor))
        assert is_known(anchor, asking(anchor, mag=MAG2), MAG2)
        [answer] = anchor.flush()
        assert answer.destination == Endpoint(MAG2, 434) and places(anchor) == [MAG2]
        superseded = next(note for note in anchor.notes if note.reason == "superseded")
        assert superseded.nai == "mn1@example.net" and superseded.details["source"] == "198.51.100.1:434"

    @covers("L5")
    def test_the_same_once_more(self) -> None:
        anchor = acquainted()
        payload = asking(anchor)
        assert is_known(anchor, payload)
        anchor.clock.advance(2)
        assert not is_known(anchor, payload)
        assert anchor.names()[-1] == "registration-answered-again"

    def test_too_many_words_are_forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pmip_tw.lma.registration.patterns.MOST", 4)
        anchor = acquainted()
        for lifetime in range(300, 310):
            anchor.accept(2, MAG1, revocation=SUPPORT, lifetime=lifetime)
        assert len(anchor.engine._newcomers._patterns) <= 4
        assert not is_known(anchor, asking(anchor))


class TestRead:
    """As a whole, by what has all the rules."""

    @pytest.mark.parametrize(
        "fields",
        [
            {"lifetime": 0},
            {"lifetime": 601},
            {"flags": REVERSE_TUNNEL | COLOCATED | GRE},
            {"flags": COLOCATED},
            {"care_of_address": MAG2},
            {"home_agent": MAG2},
            {"home_agent": Ipv4(0)},
            {"revocation": None},
            {"revocation": RevocationSupport(5, inform=True)},
            {"access_technology": 3},
            {"udp_tunnel": UdpTunnelRequest()},
            {"unknown": (bytes((200, 1, 0)),)},
            {"home_address": ipv4("10.9.9.9")},
            {"nai": b"mn?@example.net"},
        ],
    )
    def test_other_words(self, fields: dict[str, Any]) -> None:
        anchor = acquainted()
        assert not is_known(anchor, asking(anchor, **fields))

    @pytest.mark.parametrize("where", [{"source": NAT}, {"source": MAG2}, {"port": 5434}, {"local": MAG2}])
    def test_from_or_to_elsewhere(self, where: dict[str, Any]) -> None:
        anchor = acquainted()
        assert not is_known(anchor, asking(anchor), **where)

    def test_at_a_mag_where_it_is(self) -> None:
        """That replaces nothing, and nobody is told."""
        anchor = acquainted()
        anchor.accept(1, MAG1)
        assert not is_known(anchor, asking(anchor))

    @covers("H4")
    def test_a_wrong_authenticator(self) -> None:
        anchor = acquainted()
        before, payload = anchor.state(), asking(anchor)
        assert not is_known(anchor, payload[:-1] + bytes((payload[-1] ^ 1,)))
        assert anchor.state() == before and anchor.notes[-1].reason == "bad-authenticator"

    @covers("I6", "I10")
    @pytest.mark.parametrize("skew", [-8.0, 8.0])
    def test_outside_the_window(self, skew: float) -> None:
        anchor = acquainted()
        assert not is_known(anchor, asking(anchor, skew=skew))
        assert reply_in(anchor.sent[-1], 1).code == 133

    @covers("I10")
    def test_what_was_heard_before_it_left(self) -> None:
        anchor = acquainted()
        captured = asking(anchor)
        anchor.accept(1, MAG1, revocation=SUPPORT)
        anchor.release(1, MAG1)
        before = anchor.state()
        assert not is_known(anchor, captured) and anchor.state() == before

    @covers("I8", "I10")
    def test_what_was_refused_for_being_ahead(self) -> None:
        anchor = acquainted()
        ahead = asking(anchor, skew=9.0)
        assert not is_known(anchor, ahead)
        anchor.clock.advance(4)
        assert not is_known(anchor, ahead)

    @covers("P79")
    def test_a_move_too_soon(self) -> None:
        anchor = acquainted(handover_min_interval=1.0)
        anchor.clock.advance(2)
        for mag in (MAG1, MAG2):
            assert is_known(anchor, asking(anchor, mag=mag), mag)
        assert not is_known(anchor, asking(anchor))
        assert reply_in(anchor.sent[-1], 1).code == 130 and places(anchor) == [MAG2]

    @covers("P30")
    def test_another_home_address_than_it_has(self) -> None:
        anchor = acquainted()
        assert is_known(anchor, asking(anchor))
        assert not is_known(anchor, asking(anchor, mag=MAG2, home_address=FIRST_ADDRESS), MAG2)
        assert places(anchor) == [MAG1]

    @covers("H10")
    def test_no_address_is_left(self) -> None:
        anchor = acquainted(home="10.1.0.0/30")
        assert not is_known(anchor, asking(anchor))
        assert reply_in(anchor.sent[-1], 1).code == 130

    @covers("P45")
    def test_the_same_address_in_the_same_tunnel(self) -> None:
        """Two realms have the same addresses: without GRE keys one MAG cannot have both nodes."""
        home = prefix("10.1.0.0/29")
        pools = Pools(
            [(AddressPool(home), ["example.net"]), (AddressPool(home, domain="blue"), ["blue.example"])]
        )
        anchor = Anchor(pools=pools)
        anchor.accept(1, MAG1, revocation=SUPPORT)
        anchor.accept(BLUE, MAG2, revocation=SUPPORT)
        anchor.accept(BLUE + 1, MAG1, revocation=SUPPORT)
        assert not is_known(anchor, asking(anchor, BLUE), MAG1)
        assert reply_in(anchor.sent[-1], BLUE).code == 139 and places(anchor, BLUE) == [MAG2]

    @covers("L3", "HL4")
    @pytest.mark.parametrize("bit", [SIMULTANEOUS, BROADCASTS])
    def test_bits_whose_meaning_depends_on_the_node(self, bit: int) -> None:
        anchor = Anchor(max_bindings=2, tunnel_broadcast=True)
        flags = REVERSE_TUNNEL | COLOCATED | bit
        anchor.accept(1, MAG1, flags=flags)
        assert not is_known(anchor, anchor.datagram(2, MAG1, flags=flags))

    def test_one_with_several_bindings(self) -> None:
        anchor = acquainted(max_bindings=3)
        beside = {"flags": REVERSE_TUNNEL | COLOCATED | SIMULTANEOUS}
        for mag in (MAG2, NAT):
            anchor.accept(1, mag, **beside)
        assert not is_known(anchor, asking(anchor))
        assert places(anchor) == [MAG1]

    def test_whose_key_is_being_changed(self) -> None:
        anchor = acquainted()
        new = SecurityAssociation(association(1).spi, Secret(b"another"), previous=association(1))
        anchor.engine._intake._associations.add("mn1@example.net", new)
        assert not is_known(anchor, asking(anchor))
        assert reply_in(anchor.sent[-1], 1).code == 1

    @pytest.mark.parametrize("mode", [AuthenticationMode.FA_HA, AuthenticationMode.PER_MN])
    def test_of_a_mag_that_is_known(self, mode: AuthenticationMode) -> None:
        """What it may do is looked at each time."""
        keys = (KEY,) if mode is AuthenticationMode.FA_HA else ()
        anchor = Anchor(mags=[KnownMag(address=MAG1, mode=mode, associations=keys)])
        for node in (1, 2, 3):
            request = anchor.request(node, MAG1)
            assert not is_known(anchor, request.encode(mn_ha=association(node), fa_ha=KEY if keys else None))

    def test_what_another_form_takes_for_known_words(self) -> None:
        """Nodes 3 and 4 have longer authenticators: what is too short an extension for others has room for theirs."""
        anchor = acquainted()
        longer = [SecurityAssociation(association(node).spi, Secret(b"longer"), SHA1) for node in (3, 4)]
        for node, key in zip((3, 4), longer, strict=True):
            anchor.engine._intake._associations.add(nai(node), key)
        anchor.hear(anchor.request(3, MAG1, access_technology=4).encode(mn_ha=longer[0]))
        before, usual = anchor.state(), asking(anchor, 4)
        support = usual.index(SUPPORT.encode())
        covered = usual[: support + 4] + usual[-22:-20] + longer[1].spi.to_bytes(4, "big")
        payload = covered + longer[1].sign(covered)
        assert len(payload) == len(usual)
        assert not is_known(anchor, payload) and anchor.state() == before

    @covers("N23")
    def test_whose_tunnel_is_equal_to_that_of_others(self) -> None:
        """A renewal tells of its tunnel only where that has changed."""
        anchor = Anchor()
        by_nat: dict[str, Any] = {"source": NAT, "udp_tunnel": UdpTunnelRequest()}
        anchor.accept(1, MAG1, access_technology=4, **by_nat)
        anchor.accept(2, MAG1, **by_nat)
        anchor.accept(2, MAG1, access_technology=4, **by_nat)
        assert anchor.notes[-1].name == "binding-renewed" and "tunnel" not in anchor.notes[-1].details

    @covers("DY5")
    def test_who_asks_for_any_home_agent(self) -> None:
        """Another one may serve its realm."""
        anchor = Anchor(dynamic_home_agent=True)
        fields = {"home_agent": Ipv4(0), "flags": REVERSE_TUNNEL}
        anchor.accept(1, MAG1, **fields)
        assert not is_known(anchor, anchor.datagram(2, MAG1, **fields))

    @covers("P23")
    def test_owners_by_technology(self) -> None:
        anchor = Anchor(by_technology=True)
        anchor.accept(1, MAG1, access_technology=2)
        assert not is_known(anchor, anchor.datagram(2, MAG1, access_technology=2))

    @pytest.mark.parametrize("length", range(80))
    def test_a_piece_of_one(self, length: int) -> None:
        anchor = acquainted()
        before, payload = anchor.state(), asking(anchor)
        assert not is_known(anchor, payload[: min(length, len(payload) - 1)]) and anchor.state() == before
