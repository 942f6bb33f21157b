"""Realms with address spaces of their own (P85), and nodes with one address for each technology (P23)."""

import pytest

from pmip_tw.aaa.accounting.records import common_id
from pmip_tw.aaa.dynamic_authorization import Done, ErrorCause, Outcome, Refused, Selection
from pmip_tw.addresses import ipv4, prefix
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.secret import Secret
from pmip_tw.wire.authentication import append_signature
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelRequest
from pmip_tw.wire.extensions import FA_HA
from pmip_tw.wire.registration import COLOCATED, GRE, REVERSE_TUNNEL, SIMULTANEOUS
from pmip_tw.wire.revocation import Revocation
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
    reply_in,
    revocations,
)

MAIN, OTHER = AnchorKey(FIRST_ADDRESS), AnchorKey(FIRST_ADDRESS, "blue")


def two_realms(static: dict[str, int] | None = None, hold: float = 3600.0) -> Pools:
    """The same prefix for both."""
    return Pools(
        [
            (AddressPool(prefix("10.1.0.0/29"), hold=hold), ["example.net"]),
            (AddressPool(prefix("10.1.0.0/29"), hold=hold, domain="blue"), ["blue.example"]),
        ],
        static,
    )


class TestWhoIsMeant:
    """AAA says an address, and two customers have it."""

    @staticmethod
    def outcome(anchor: Anchor, **said: object) -> Outcome:
        outcome, effects = anchor.engine.sessions.disconnect(Selection(**said), anchor.clock.now())
        anchor._run(effects)
        return outcome

    @covers("AA15", "P85")
    @pytest.mark.parametrize("nodes", [(1, BLUE), (1,), (BLUE,)])
    def test_an_address_alone_is_nobody(self, nodes: tuple[int, ...]) -> None:
        """Even if only one has it: perhaps the other one was meant, and has just gone."""
        anchor = Anchor(pools=two_realms())
        for node in nodes:
            anchor.accept(node, MAG2 if node == BLUE else MAG1)
        refused = self.outcome(anchor, home_address=FIRST_ADDRESS)
        assert isinstance(refused, Refused)
        assert refused.cause is ErrorCause.MULTIPLE_SESSION_SELECTION_UNSUPPORTED
        assert len(anchor.engine.bindings) == len(nodes)

    @covers("AA15", "P85")
    def test_with_whatever_tells_them_apart_it_is_one(self) -> None:
        anchor = Anchor(pools=two_realms())
        anchor.accept(1)
        anchor.accept(BLUE, MAG2)
        who = nai(BLUE).decode()
        assert self.outcome(anchor, home_address=FIRST_ADDRESS, user_name=who) == Done(1)
        assert list(anchor.installed) == [MAIN]
        multi = common_id(nai(1), FIRST_ADDRESS)
        assert self.outcome(anchor, home_address=FIRST_ADDRESS, multi_session=multi) == Done(1)
        assert not anchor.installed

    @covers("AA15")
    def test_an_address_of_one_space_is_enough(self) -> None:
        anchor = Anchor()
        anchor.accept(1)
        assert self.outcome(anchor, home_address=FIRST_ADDRESS) == Done(1)


class TestTwoDomains:
    @covers("P85")
    def test_the_same_address_twice(self) -> None:
        anchor = Anchor(pools=two_realms())
        assert anchor.accept(1, MAG1).home_address == FIRST_ADDRESS
        assert anchor.accept(BLUE, MAG2).home_address == FIRST_ADDRESS
        assert list(anchor.installed) == [MAIN, OTHER]
        assert anchor.notes[-1].session == "10.1.0.2 in blue"

    @covers("P85")
    @pytest.mark.parametrize(("node", "other"), [(1, BLUE), (BLUE, 1)])
    def test_what_happens_to_one_does_not_touch_the_other(self, node: int, other: int) -> None:
        anchor = Anchor(pools=two_realms(hold=50.0), handover_min_interval=0.0)
        anchor.accept(node, MAG1, lifetime=30)
        anchor.accept(other, MAG2)
        theirs = anchor.installed[OTHER if other == BLUE else MAIN]
        for end in ("handover", "release", "expiry"):
            anchor.accept(node, MAG1, lifetime=30)
            if end == "handover":
                anchor.accept(node, NAT, lifetime=30)
            elif end == "release":
                anchor.release(node, MAG1)
            else:
                anchor.pass_time(32)
            assert theirs in anchor.installed.values()
            assert anchor.binding(other) is not None
        assert list(anchor.installed.values()) == [theirs]

    @covers("P85", "P80")
    def test_an_address_is_held_in_its_own_domain(self) -> None:
        anchor = Anchor(pools=two_realms())
        anchor.accept(1)
        anchor.release(1)
        anchor.deny(129, 2, home_address=FIRST_ADDRESS)
        anchor.accept(BLUE, home_address=FIRST_ADDRESS)
        anchor.release(BLUE)
        assert anchor.accept(1).home_address == FIRST_ADDRESS
        anchor.deny(129, BLUE + 1, home_address=FIRST_ADDRESS)

    @covers("P85")
    def test_fixed_addresses_of_two_realms(self) -> None:
        fixed = ipv4("10.1.0.5")
        static = {nai(1).decode(): fixed, nai(BLUE).decode(): fixed}
        anchor = Anchor(pools=two_realms(static))
        assert anchor.accept(1, MAG1).home_address == anchor.accept(BLUE, MAG2).home_address == fixed
        assert set(anchor.installed) == {AnchorKey(fixed), AnchorKey(fixed, "blue")}
        anchor.deny(129, 2, home_address=fixed)

    @covers("P85")
    def test_a_pool_for_all_serves_only_its_own_domain(self) -> None:
        """A realm with pools of its own is not served out of another address space when they are empty."""
        pools = Pools(
            [
                (AddressPool(prefix("10.1.0.0/30"), domain="blue"), ["blue.example"]),
                (AddressPool(prefix("10.9.0.0/29")), []),
            ]
        )
        anchor = Anchor(pools=pools)
        anchor.accept(BLUE)
        anchor.deny(130, BLUE + 1)
        assert anchor.accept(1).home_address == ipv4("10.9.0.2")

    @covers("P85", "RV25")
    def test_both_are_revoked_by_name(self) -> None:
        """The same home address and the same MAG: what ends one of them leaves the other."""
        anchor = Anchor(pools=two_realms())
        fields = {"gre_key": 0, "revocation": RevocationSupport(5)}
        for node in (1, BLUE):
            anchor.accept(node, MAG1, **fields)
        for node in (1, BLUE):
            anchor.accept(node, MAG2, **fields)
        told = revocations(anchor.sent)
        assert [one.nai for one in told] == [nai(1), nai(BLUE)]
        assert len({one.identifier for one in told}) == 2

    @covers("P85")
    def test_every_end_is_told_with_the_address_space(self) -> None:
        """So that a trace has the whole story under one name."""
        anchor = Anchor(pools=two_realms())
        support = RevocationSupport(5)
        anchor.accept(BLUE, MAG1, revocation=support)
        anchor.revoke(BLUE)
        assert anchor.notes[-2].name == "binding-revoked"
        assert anchor.notes[-2].session == str(OTHER)
        anchor.accept(BLUE, MAG1, revocation=support)
        for identifier in (1, 9):
            revocation = Revocation(
                from_home_agent=False,
                home_address=FIRST_ADDRESS,
                home_domain=LMA,
                foreign_domain=MAG1,
                identifier=identifier,
            )
            anchor.hear(revocation.encode(mn_ha=association(BLUE)))
            assert anchor.notes[-1].session == str(OTHER)
        assert anchor.notes[-1].name == "revocation-received"


class TestAtOneMag:
    @covers("P45")
    def test_without_keys_the_second_is_refused(self) -> None:
        anchor = Anchor(pools=two_realms())
        anchor.accept(1, MAG1)
        assert "P45" in anchor.deny(139, BLUE, MAG1).cause
        assert OTHER not in anchor.installed
        anchor.accept(BLUE, MAG2)

    @covers("P45", "P85")
    def test_the_refusal_uses_no_address_up(self) -> None:
        pools = Pools(
            [
                (AddressPool(prefix("10.1.0.0/30")), ["example.net"]),
                (AddressPool(prefix("10.1.0.0/30"), domain="blue"), ["blue.example"]),
            ]
        )
        anchor = Anchor(pools=pools)
        anchor.accept(1, MAG1)
        anchor.deny(139, BLUE, MAG1)
        anchor.accept(BLUE + 1, MAG2)

    @covers("P45")
    def test_a_handover_to_where_the_other_is(self) -> None:
        anchor = Anchor(pools=two_realms())
        anchor.accept(1, MAG1)
        anchor.accept(BLUE, MAG2)
        before = anchor.installed[OTHER]
        anchor.deny(139, BLUE, MAG1)
        assert anchor.installed[OTHER] == before
        anchor.accept(BLUE, MAG1, gre_key=0)

    @covers("P45", "P44", "P49")
    def test_with_keys_both_are_served(self) -> None:
        anchor = Anchor(pools=two_realms())
        anchor.accept(1, MAG1, gre_key=0)
        anchor.accept(BLUE, MAG1, gre_key=0)
        tunnels = [entry.tunnel for entry in anchor.installed.values()]
        assert len({tunnel.key_in for tunnel in tunnels}) == len({tunnel.key_out for tunnel in tunnels}) == 2

    @covers("P45", "L3")
    @pytest.mark.parametrize("mag", [MAG1, MAG2])
    def test_wherever_the_other_is(self, mag: int) -> None:
        """It may be at several MAGs at once."""
        anchor = Anchor(pools=two_realms(), max_bindings=2)
        for place in (MAG1, MAG2):
            anchor.accept(1, place, flags=REVERSE_TUNNEL | COLOCATED | SIMULTANEOUS)
        anchor.deny(139, BLUE, mag)
        anchor.accept(BLUE, NAT)

    @covers("P45")
    def test_another_kind_of_tunnel_is_another_tunnel(self) -> None:
        anchor = Anchor(pools=two_realms())
        anchor.accept(1, MAG1)
        anchor.accept(BLUE, MAG1, flags=REVERSE_TUNNEL | COLOCATED | GRE)

    @covers("P45")
    def test_the_same_key_for_both_is_none(self) -> None:
        """The MAG chose it, and could not tell them apart."""
        anchor = Anchor(pools=two_realms())
        anchor.accept(1, MAG1, gre_key=7)
        anchor.deny(139, BLUE, MAG1, gre_key=7)
        anchor.accept(BLUE, MAG1, gre_key=8)

    @covers("P45")
    def test_two_mags_behind_one_nat_are_two(self) -> None:
        """Their ports differ."""
        anchor = Anchor(pools=two_realms())
        asked = {"source": NAT, "udp_tunnel": UdpTunnelRequest()}
        anchor.accept(1, MAG1, port=4001, **asked)
        anchor.accept(BLUE, MAG2, port=4002, **asked)
        anchor.deny(139, BLUE, MAG2, port=4001, **asked)

    @covers("P45")
    def test_whoever_left_is_in_nobodys_way(self) -> None:
        anchor = Anchor(pools=two_realms())
        anchor.accept(1, MAG1)
        anchor.release(1, MAG1)
        anchor.accept(BLUE, MAG1)

    @covers("P42", "P45")
    def test_other_addresses_share_the_tunnel(self) -> None:
        anchor = Anchor(pools=two_realms())
        anchor.accept(1, MAG1)
        anchor.accept(BLUE, MAG1, home_address=ipv4("10.1.0.3"))


class TestTechnologies:
    """binding_key = "nai+tech"."""

    WIRED, RADIO = 1, 2

    def both(self, **policy: object) -> Anchor:
        anchor = Anchor(by_technology=True, **policy)
        anchor.accept(1, MAG1, access_technology=self.WIRED)
        anchor.accept(1, MAG2, access_technology=self.RADIO)
        return anchor

    @covers("P23")
    def test_each_has_an_address_of_its_own(self) -> None:
        anchor = self.both()
        bound = {(one.terms.access_technology, one.home_address) for one in anchor.engine.bindings}
        assert bound == {(self.WIRED, FIRST_ADDRESS), (self.RADIO, FIRST_ADDRESS + 1)}
        assert anchor.names() == ["binding-created", "binding-created"]

    @covers("P23", "P34")
    def test_a_handover_is_one_within_a_technology(self) -> None:
        anchor = self.both()
        assert anchor.accept(1, MAG1, access_technology=self.RADIO).home_address == FIRST_ADDRESS + 1
        assert anchor.names()[-1] == "binding-moved"
        assert len(anchor.engine.bindings) == 2

    @covers("P23", "L2")
    def test_each_ends_by_itself(self) -> None:
        anchor = self.both()
        anchor.release(1, MAG1, access_technology=self.RADIO)  # it is not there with that one
        assert len(anchor.installed) == 2
        anchor.release(1, MAG2, access_technology=self.RADIO)
        assert list(anchor.installed) == [AnchorKey(FIRST_ADDRESS)]

    @covers("P23")
    def test_none_is_a_technology_too(self) -> None:
        anchor = self.both()
        assert anchor.accept(1, MAG1).home_address == FIRST_ADDRESS + 2
        assert anchor.accept(1, MAG2, access_technology=0).home_address == FIRST_ADDRESS + 2

    @covers("P23", "I6", "P31")
    def test_timestamps_of_each_stand_alone(self) -> None:
        """Two MAGs whose clocks differ serve one node at once: neither asks the other's time."""
        anchor = Anchor(by_technology=True)
        anchor.accept(1, MAG1, access_technology=self.WIRED, skew=5.0)
        anchor.accept(1, MAG2, access_technology=self.RADIO, skew=-5.0)

    @covers("P23", "I10", "P10")
    def test_what_was_captured_of_one_is_no_request_of_the_other(self) -> None:
        anchor = Anchor(by_technology=True)
        captured = anchor.datagram(1, MAG1, access_technology=self.WIRED)
        anchor.hear(captured)
        before = anchor.state()
        assert anchor.hear(captured.replace(b"\x93\x02\x04\x01", b"\x93\x02\x04\x02"))[0].datagram[1] == 131
        anchor.clock.advance(2)
        anchor.ignore("malformed", captured + b"\x93\x02\x04\x02")
        assert anchor.state() == before

    @covers("P23", "P10", "H6")
    def test_what_somebody_adds_behind_mn_ha_names_no_owner(self) -> None:
        """An FA-HA that nobody can check does not cover it: the de-registration of the one would end the other."""
        anchor = self.both()
        leaving = anchor.datagram(1, MAG2, lifetime=0)
        forged = SecurityAssociation(0x2000, Secret(b"the key of nobody here"))
        added = append_signature(leaving + bytes((147, 2, 4, self.RADIO)), FA_HA, forged)
        anchor.ignore("no-association", added, MAG2)
        anchor.clock.advance(1)
        anchor.accept(1, MAG2, access_technology=self.RADIO)
        anchor.hear(append_signature(anchor.datagram(1, MAG2, lifetime=0), FA_HA, forged), MAG2)
        assert len(anchor.installed) == 2  # it may stand there (A2), and says nothing

    @covers("P23", "P80")
    def test_each_gets_its_former_address_back(self) -> None:
        anchor = self.both()
        anchor.release(1, MAG1, access_technology=self.WIRED)
        anchor.release(1, MAG2, access_technology=self.RADIO)
        assert anchor.accept(1, MAG2, access_technology=self.RADIO).home_address == FIRST_ADDRESS + 1
        assert anchor.accept(1, MAG1, access_technology=self.WIRED).home_address == FIRST_ADDRESS

    @covers("P23", "H10")
    def test_a_fixed_address_is_used_by_one_at_a_time(self) -> None:
        pools = Pools([(AddressPool(prefix("10.1.0.0/29")), [])], {nai(1).decode(): FIRST_ADDRESS})
        anchor = Anchor(pools=pools, by_technology=True)
        anchor.accept(1, MAG1, access_technology=self.WIRED)
        assert "technology" in anchor.deny(130, 1, MAG2, access_technology=self.RADIO).cause
        anchor.release(1, MAG1, access_technology=self.WIRED)
        anchor.accept(1, MAG2, access_technology=self.RADIO)

    @covers("P23", "RV26")
    def test_at_one_mag_both_can_be_revoked(self) -> None:
        anchor = Anchor(by_technology=True)
        fields = {"revocation": RevocationSupport(5)}
        for technology in (self.WIRED, self.RADIO):
            anchor.accept(1, MAG1, access_technology=technology, **fields)
        for technology in (self.WIRED, self.RADIO):
            anchor.accept(1, MAG2, access_technology=technology, **fields)
        assert len(revocations(anchor.pass_time(1.5))) == 2  # each is repeated

    @covers("P23")
    def test_by_nai_the_technology_is_no_difference(self) -> None:
        """Roaming from one to the other is a handover."""
        anchor = Anchor()
        anchor.accept(1, MAG1, access_technology=self.WIRED)
        assert anchor.accept(1, MAG2, access_technology=self.RADIO).home_address == FIRST_ADDRESS
        assert anchor.names()[-1] == "binding-moved"

    @covers("L5")
    def test_the_same_request_again(self) -> None:
        anchor = Anchor(by_technology=True)
        asked = anchor.datagram(1, MAG1, access_technology=self.WIRED)
        anchor.hear(asked)
        anchor.clock.advance(2)
        assert reply_in(anchor.hear(asked)[0], 1).code == 1
