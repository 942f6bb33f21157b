"""The LMA revokes: when, to whom, how often, and which acknowledgments count (RFC 3543)."""

import pytest

from pmip_tw.addresses import Endpoint, Ipv4, ipv4
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.effects import Send
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelRequest
from pmip_tw.wire.registration import REVERSE_TUNNEL, RegistrationReply
from pmip_tw.wire.revocation import Revocation, RevocationAck
from tests.conformance import covers
from tests.lma.anchor import (
    FIRST_ADDRESS,
    LMA,
    MAG1,
    MAG2,
    MAG3,
    NAT,
    Anchor,
    association,
    nai,
    revocations,
)

SUPPORT = RevocationSupport(77)


def wall(anchor: Anchor) -> int:
    return int(anchor.clock.wall)


def moved(**policy: object) -> tuple[Anchor, Send]:
    """A node has moved from MAG 1 to MAG 2; the revocation that MAG 1 was sent."""
    anchor = Anchor(**({"handover_min_interval": 0.0} | policy))
    anchor.accept(1, MAG1, revocation=SUPPORT)
    anchor.pass_time(10)
    anchor.accept(1, MAG2, revocation=SUPPORT)
    return anchor, anchor.sent[-1]


def ack_for(send: Send, *, key: SecurityAssociation | None = None, **fields: object) -> bytes:
    revocation = Revocation.decode(send.datagram)
    values = {
        "nai": revocation.nai,
        "home_address": revocation.home_address,
        "identifier": revocation.identifier,
    }
    return RevocationAck(**(values | fields)).encode(mn_ha=key or association(1))


class TestNegotiation:
    @covers("RV3", "RV6")
    def test_answered_only_where_asked(self) -> None:
        """RV3; our clock in it is Unix seconds (RV6)."""
        anchor = Anchor()
        assert anchor.accept(1).revocation is None
        assert anchor.accept(2, revocation=SUPPORT).revocation == RevocationSupport(wall(anchor))

    @covers("RV5")
    def test_the_inform_bit_is_not_offered(self) -> None:
        """RV5."""
        reply = Anchor().accept(revocation=RevocationSupport(77, inform=True))
        assert reply.revocation is not None and reply.revocation.inform is False

    @covers("RV4")
    def test_unprotected_support_is_ignored(self) -> None:
        """RV4: 137 after MN-HA with no FA-HA."""
        anchor = Anchor()
        reply = anchor.accept(flags=REVERSE_TUNNEL, revocation=SUPPORT, agent_part=frozenset({137}))
        assert reply.revocation is None
        anchor.accept(1, MAG2)
        assert revocations(anchor.sent) == []

    @covers("P35", "RV1")
    def test_no_revocation_without_negotiation(self) -> None:
        """RV1, P35; what the new MAG can do does not matter."""
        anchor = Anchor()
        anchor.accept(1, MAG1)
        anchor.accept(1, MAG2, revocation=SUPPORT)
        assert revocations(anchor.pass_time(60)) == []

    @covers("RV7")
    def test_negotiation_is_renewed_with_every_registration(self) -> None:
        """RV7."""
        anchor = Anchor()
        anchor.accept(1, MAG1, revocation=SUPPORT)
        anchor.accept(1, MAG1)
        anchor.accept(1, MAG2)
        assert revocations(anchor.sent) == []

    @covers("P35")
    def test_policy_off(self) -> None:
        anchor = Anchor(revoke_on_handover=False)
        anchor.accept(1, MAG1, revocation=SUPPORT)
        anchor.accept(1, MAG2, revocation=SUPPORT)
        assert revocations(anchor.pass_time(60)) == []


class TestMessage:
    @covers("P76", "RV10", "RV13", "RV22")
    def test_its_content(self) -> None:
        anchor, send = moved()
        revocation = Revocation.decode(send.datagram)
        assert revocation.from_home_agent and not revocation.inform
        assert (revocation.nai, revocation.home_address) == (nai(1), FIRST_ADDRESS)
        assert (revocation.home_domain, revocation.foreign_domain) == (LMA, MAG1)
        assert revocation.identifier == wall(anchor)
        assert revocation.mn_ha is not None
        assert association(1).verify(send.datagram[: revocation.mn_ha.covered], revocation.mn_ha.value)

    @covers("P35", "P36", "RV21")
    def test_after_the_reply_to_the_new_mag(self) -> None:
        """P36."""
        anchor, _ = moved()
        *_, reply, revocation = anchor.sent
        assert RegistrationReply.decode(reply.datagram).code == 1
        assert reply.destination.address == MAG2
        assert (revocation.source, revocation.destination) == (LMA, Endpoint(MAG1, 434))

    @covers("RV41")
    def test_through_a_nat_to_the_port_seen(self) -> None:
        """RV41; the foreign domain stays the care-of address."""
        anchor = Anchor()
        anchor.accept(1, MAG1, source=NAT, port=40001, revocation=SUPPORT, udp_tunnel=UdpTunnelRequest())
        anchor.accept(1, MAG2, revocation=SUPPORT)
        assert anchor.sent[-1].destination == Endpoint(NAT, 40001)
        [revocation] = revocations(anchor.sent)
        assert revocation.foreign_domain == MAG1

    def test_to_port_434_of_a_mag_that_registers_from_elsewhere(self) -> None:
        """RFC 3543 3.3, without a NAT."""
        anchor = Anchor()
        anchor.accept(1, MAG1, port=5000, revocation=SUPPORT)
        anchor.accept(1, MAG2)
        assert anchor.sent[-1].destination == Endpoint(MAG1, 434)


class TestIdentifier:
    @covers("RV15")
    def test_later_than_a_registration_of_the_same_second(self) -> None:
        """RV15, RV16."""
        anchor = Anchor()
        registered = anchor.accept(1, MAG1, revocation=SUPPORT).revocation
        anchor.accept(1, MAG2)
        [revocation] = revocations(anchor.sent)
        assert registered is not None and revocation.identifier == registered.timestamp + 1

    @covers("RV14")
    def test_every_try_has_a_later_one(self) -> None:
        """RV14, also while the wall clock stands still."""
        anchor, first = moved()
        anchor.clock.wall -= 100
        identifiers = [one.identifier for one in revocations([first, *anchor.pass_time(60)])]
        assert len(identifiers) == len(set(identifiers)) == 6
        assert identifiers == sorted(identifiers)

    @covers("RV6")
    def test_a_node_that_returns_at_once_is_safe_from_what_is_still_under_way(self) -> None:
        """RV6: the registration's timestamp is not before the last identifier sent to that MAG."""
        anchor, first = moved()
        last = Revocation.decode(first.datagram).identifier
        anchor.clock.wall -= 5
        returned = anchor.accept(1, MAG1, revocation=SUPPORT, skew=5).revocation
        assert returned is not None and returned.timestamp >= last

    @covers("RV15")
    def test_and_a_later_revocation_of_that_stay_works_again(self) -> None:
        anchor, _ = moved()
        returned = anchor.accept(1, MAG1, revocation=SUPPORT).revocation
        anchor.accept(1, MAG2, revocation=SUPPORT)
        [*_, last] = [one for one in revocations(anchor.sent) if one.foreign_domain == MAG1]
        assert returned is not None and last.identifier > returned.timestamp


class TestRetransmission:
    @covers("RV23")
    def test_schedule(self) -> None:
        """RV23: after 1, 2, 4, 8 and 16 s, a little late at most, then silence."""
        anchor, _ = moved()
        anchor.names()
        times, start = [], anchor.clock.monotonic
        for _ in range(800):
            if anchor.pass_time(0.125):
                times.append(anchor.clock.monotonic - start)
        assert times == pytest.approx([1, 3, 7, 15, 31], abs=0.75)
        assert all(time >= due for time, due in zip(times, (1, 3, 7, 15, 31), strict=True))
        assert anchor.names() == ["revocation-sent"] * 5 + ["revocation-unanswered"]

    @covers("RV23", "RV24")
    def test_never_after_the_binding_would_have_ended(self) -> None:
        """RV24."""
        anchor = Anchor()
        anchor.accept(1, MAG1, lifetime=6, revocation=SUPPORT)
        anchor.accept(1, MAG2)
        anchor.names()
        anchor.pass_time(60)
        assert anchor.names() == ["revocation-sent"] * 2 + ["revocation-unanswered"]

    @covers("RV24")
    def test_never_for_an_expired_binding(self) -> None:
        """RV24: it is over, though nobody has woken yet."""
        anchor = Anchor()
        anchor.accept(1, MAG1, lifetime=1, revocation=SUPPORT)
        anchor.clock.advance(1)
        anchor.accept(1, MAG2)
        anchor.pass_time(60)
        assert revocations(anchor.sent) == []

    @covers("L6", "RV24")
    def test_expiry_is_not_revoked(self) -> None:
        anchor = Anchor()
        anchor.accept(1, MAG1, lifetime=1, revocation=SUPPORT)
        assert anchor.pass_time(60) == []

    @covers("RV26")
    def test_back_at_the_old_mag_it_stops(self) -> None:
        """RV26: ping-pong. The stay at the other MAG is revoked instead."""
        anchor, _ = moved()
        anchor.accept(1, MAG1, revocation=SUPPORT)
        later = revocations([anchor.sent[-1], *anchor.pass_time(60)])
        assert {one.foreign_domain for one in later} == {MAG2}

    @covers("RV27")
    def test_deregistered_by_the_old_mag_it_stops(self) -> None:
        """RV27: the MAG has let go by itself; messages crossed."""
        anchor, _ = moved()
        anchor.release(1, MAG1)
        assert revocations(anchor.pass_time(60)) == []

    @covers("RV25")
    def test_two_former_mags_at_once(self) -> None:
        anchor, first = moved()
        anchor.accept(1, MAG3, revocation=SUPPORT)
        second = anchor.sent[-1]
        anchor.hear(ack_for(second), MAG2)
        again = revocations(anchor.pass_time(60))
        assert {one.foreign_domain for one in again} == {MAG1}
        assert Revocation.decode(first.datagram).foreign_domain == MAG1


class TestAcknowledgment:
    @covers("RV23")
    def test_it_ends_the_retransmission(self) -> None:
        anchor, send = moved()
        assert anchor.hear(ack_for(send), MAG1) == []
        assert anchor.notes[-1].name == "revocation-acknowledged"
        assert anchor.pass_time(60) == []

    @covers("RV12", "RV20")
    @pytest.mark.parametrize("tries", [1, 3])
    def test_one_in_the_words_of_the_revocation_is_not_read(
        self, monkeypatch: pytest.MonkeyPatch, tries: int
    ) -> None:
        """Whatever try it answers; its authenticator is looked at all the same."""
        anchor, send = moved()
        assert len(anchor.pass_time(4)) == 2
        ack, forged = (ack_for(anchor.sent[-tries]), ack_for(send, key=association(2)))
        anchor.ignore("no-authenticator", forged)
        monkeypatch.setattr(RevocationAck, "decode", None)
        anchor.hear(ack, MAG1)
        assert anchor.notes[-1].name == "revocation-acknowledged"
        assert anchor.pass_time(60) == []

    @covers("RV13", "RV20")
    def test_after_a_restart(self) -> None:
        """The process that has sent it is gone."""
        anchor, send = moved()
        anchor.restart()
        anchor.hear(ack_for(send), MAG1)
        assert anchor.pass_time(60) == []

    @covers("RV13")
    def test_without_a_name(self) -> None:
        anchor, send = moved()
        anchor.hear(ack_for(send, nai=b""), MAG1)
        assert anchor.pass_time(60) == []

    @covers("RV20")
    def test_of_any_try(self) -> None:
        """RV20."""
        anchor, send = moved()
        assert len(anchor.pass_time(4)) == 2
        anchor.hear(ack_for(send), MAG1)
        assert anchor.pass_time(60) == []

    @covers("RV20")
    @pytest.mark.parametrize(
        ("fields", "source"),
        [
            ({"identifier": 1}, MAG1),
            ({"home_address": ipv4("10.1.0.3")}, MAG1),
            ({"nai": nai(2)}, MAG1),
            ({}, MAG2),
        ],
        ids=["identifier", "home address", "name", "sender"],
    )
    def test_of_something_else(self, fields: dict[str, object], source: Ipv4) -> None:
        anchor, send = moved()
        anchor.ignore("no-such-revocation", ack_for(send, **fields), source)
        assert len(anchor.pass_time(60)) == 5

    @covers("RV9", "RV12")
    def test_with_the_wrong_key(self) -> None:
        """RV9, RV12."""
        anchor, send = moved()
        wrong = SecurityAssociation(association(1).spi, Secret(b"another key"))
        anchor.ignore("bad-authenticator", ack_for(send, key=wrong))
        assert len(anchor.pass_time(60)) == 5

    @covers("RV9")
    def test_with_the_wrong_spi_or_none(self) -> None:
        anchor, send = moved()
        anchor.ignore("no-authenticator", ack_for(send, key=association(2)))
        revocation = Revocation.decode(send.datagram)
        bare = RevocationAck(home_address=revocation.home_address, identifier=revocation.identifier)
        anchor.ignore("no-authenticator", bare.encode())
        assert len(anchor.pass_time(60)) == 5

    @covers("RV20")
    def test_twice(self) -> None:
        anchor, send = moved()
        anchor.hear(ack_for(send), MAG1)
        anchor.ignore("no-such-revocation", ack_for(send))

    @covers("RV36")
    def test_the_inform_bit_is_ignored(self) -> None:
        """RV36."""
        anchor, send = moved()
        anchor.hear(ack_for(send, inform=True), MAG1)
        assert anchor.notes[-1].name == "revocation-acknowledged"


@covers("RV23")
def test_many_at_once_are_all_sent_and_all_end() -> None:
    """A MAG with all its nodes has gone: nothing is forgotten, nothing stays."""
    anchor = Anchor(home="10.1.0.0/16", nodes=2500)
    for node in range(1, 2501):
        anchor.accept(node, MAG1, revocation=SUPPORT)
    for node in range(1, 2501):
        anchor.accept(node, MAG2, lifetime=3600)
    anchor.names()
    anchor.pass_time(100)
    names = anchor.names()
    assert (names.count("revocation-sent"), names.count("revocation-unanswered")) == (5 * 2500, 2500)
