"""MAGs with a key of their own: FA-HA alone (RFC 5563's per-node mode), FA-HA beside MN-HA, and who may what."""

import pytest

from pmip_tw.addresses import Endpoint, Ipv4, ipv4
from pmip_tw.lma.mags import KnownMag
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.mobility.effects import Send
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_fields import BY_FA_HA, BY_IPSEC
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelRequest
from pmip_tw.wire.extensions import FA_HA
from pmip_tw.wire.registration import REVERSE_TUNNEL, RegistrationReply
from pmip_tw.wire.revocation import Revocation, RevocationAck
from tests.conformance import covers
from tests.lma.anchor import LMA, MAG1, MAG2, MAG3, NAT, Anchor, association, nai, revocations

KEY = SecurityAssociation(0x2000, Secret(b"key of the first MAG"))
OTHER = SecurityAssociation(0x2000, Secret(b"key of somebody else"))
STRANGER = b"nobody-knows@example.net"


def mag(address: Ipv4 = MAG1, **fields: object) -> KnownMag:
    values = {"mode": AuthenticationMode.FA_HA, "associations": (KEY,)}
    return KnownMag(address=address, **(values | fields))


@pytest.fixture
def anchor() -> Anchor:
    return Anchor(mags=[mag()])


def by_mag(
    anchor: Anchor, key: SecurityAssociation = KEY, source: Ipv4 = MAG1, **fields: object
) -> list[Send]:
    """A request with FA-HA alone, for a node that the LMA has no key of."""
    values = {"nai": STRANGER, "per_node": BY_FA_HA, "flags": REVERSE_TUNNEL}
    return anchor.hear(anchor.request(**(values | fields)).encode(fa_ha=key), source)


def reply_of_mag(sent: list[Send], key: SecurityAssociation = KEY) -> RegistrationReply:
    """The one reply, which has a right FA-HA and nothing else to prove it."""
    [answer] = sent
    reply = RegistrationReply.decode(answer.datagram)
    assert reply.mn_ha is None and reply.fa_ha is not None and reply.fa_ha.spi == key.spi
    assert key.verify(answer.datagram[: reply.fa_ha.covered], reply.fa_ha.value)
    assert answer.datagram[reply.fa_ha.covered + key.digest_size :] == b""  # nothing behind it
    return reply


class TestPerNode:
    @covers("P11", "P13", "P25", "P72", "A1")
    def test_fa_ha_alone_registers(self, anchor: Anchor) -> None:
        """47/1 and FA-HA come back; the node itself need not be configured."""
        reply = reply_of_mag(by_mag(anchor))
        assert (reply.code, reply.per_node, reply.nai) == (1, BY_FA_HA, STRANGER)
        assert anchor.engine.bindings.get(STRANGER) is not None

    @covers("P11")
    def test_47_is_absent_where_the_key_is_the_nodes(self, anchor: Anchor) -> None:
        assert Anchor().accept().per_node is None

    @covers("H3")
    def test_fa_ha_alone_without_47_proves_nothing(self, anchor: Anchor) -> None:
        anchor.ignore("no-authenticator", anchor.request(nai=STRANGER).encode(fa_ha=KEY))

    @covers("P13", "H3")
    def test_47_alone_proves_nothing(self, anchor: Anchor) -> None:
        for method in (BY_FA_HA, BY_IPSEC):
            anchor.ignore("no-authenticator", anchor.request(nai=STRANGER, per_node=method).encode())

    @covers("H4", "H6")
    def test_a_wrong_key_is_told_once_a_second(self, anchor: Anchor) -> None:
        before = anchor.state()
        assert reply_of_mag(by_mag(anchor, OTHER)).code == 132
        assert anchor.notes[-1].reason == "bad-authenticator"
        assert by_mag(anchor, OTHER) == []
        assert anchor.state() == before
        anchor.clock.advance(1)
        assert reply_of_mag(by_mag(anchor, OTHER)).code == 132

    @covers("I12")
    def test_a_wrong_key_with_a_later_identification_blocks_nothing(self, anchor: Anchor) -> None:
        by_mag(anchor, OTHER, skew=6)
        assert reply_of_mag(by_mag(anchor)).code == 1

    @covers("E5")
    def test_two_are_none(self, anchor: Anchor) -> None:
        whole = anchor.request(nai=STRANGER, per_node=BY_FA_HA).encode(fa_ha=KEY)
        twice = whole + bytes((FA_HA, 20)) + bytes(20)
        assert reply_of_mag(anchor.hear(twice)).code == 132
        assert anchor.state() == ([], {})

    @covers("P27")
    def test_an_unknown_mag_gets_no_answer(self, anchor: Anchor) -> None:
        whole = anchor.request(nai=STRANGER, per_node=BY_FA_HA, care_of_address=MAG2).encode(fa_ha=KEY)
        anchor.ignore("no-association", whole, MAG2)
        unlisted = Anchor()
        unlisted.ignore("no-association", unlisted.request(nai=STRANGER, per_node=BY_FA_HA).encode(fa_ha=KEY))

    @covers("P39", "A2")
    def test_a_deregistration_needs_it_too(self, anchor: Anchor) -> None:
        by_mag(anchor)
        bare = anchor.request(nai=STRANGER, per_node=BY_FA_HA, lifetime=0)
        anchor.ignore("no-authenticator", bare.encode())
        assert reply_of_mag(by_mag(anchor, OTHER, lifetime=0)).code == 132
        assert anchor.engine.bindings.get(STRANGER) is not None
        assert reply_of_mag(by_mag(anchor, lifetime=0)).code == 1
        assert anchor.engine.bindings.get(STRANGER) is None

    @covers("P39")
    def test_nor_does_the_key_of_a_node_stand_in_for_it(self, anchor: Anchor) -> None:
        """47/1 says whose association it is."""
        anchor.accept(1, MAG2)
        asked = anchor.request(1, MAG1, per_node=BY_FA_HA, lifetime=0)
        [answer] = anchor.hear(asked.encode(mn_ha=association(1)))
        assert RegistrationReply.decode(answer.datagram).code == 132
        assert anchor.binding() is not None

    @covers("I8", "H5")
    def test_the_identification_is_checked_as_ever(self, anchor: Anchor) -> None:
        assert reply_of_mag(by_mag(anchor, skew=60)).code == 133

    @covers("L5")
    def test_the_same_again(self, anchor: Anchor) -> None:
        whole = anchor.request(nai=STRANGER, per_node=BY_FA_HA).encode(fa_ha=KEY)
        assert reply_of_mag(anchor.hear(whole)).code == 1
        assert reply_of_mag(anchor.hear(whole)).code == 1
        assert anchor.names()[-1] == "registration-answered-again"

    @covers("H10")
    def test_somebody_must_be_named(self, anchor: Anchor) -> None:
        assert reply_of_mag(by_mag(anchor, nai=b"")).code == 134

    @pytest.mark.parametrize("algorithm", Algorithm)
    def test_every_algorithm_in_both_directions(self, algorithm: Algorithm) -> None:
        key = SecurityAssociation(0x2000, Secret(b"key of the first MAG"), algorithm)
        anchor = Anchor(mags=[mag(associations=(key,))])
        assert reply_of_mag(by_mag(anchor, key), key).code == 1

    @covers("P34", "P76", "RV9")
    def test_the_former_mag_is_revoked_with_its_own_key(self) -> None:
        second = SecurityAssociation(0x2001, Secret(b"key of the second MAG"))
        anchor = Anchor(mags=[mag(), mag(MAG2, associations=(second,))])
        by_mag(anchor, revocation=RevocationSupport(5))
        sent = by_mag(anchor, second, MAG2, care_of_address=MAG2, revocation=RevocationSupport(5))
        [_, send] = sent
        [revocation] = revocations(sent)
        assert send.destination == Endpoint(MAG1, 434)
        assert revocation.mn_ha is None and revocation.fa_ha is not None
        assert KEY.verify(send.datagram[: revocation.fa_ha.covered], revocation.fa_ha.value)

    @covers("RV9", "P76")
    def test_and_acknowledges_with_it(self) -> None:
        anchor = Anchor(mags=[mag()])
        by_mag(anchor, nai=nai(1), revocation=RevocationSupport(5))
        anchor.accept(1, MAG2)
        [revocation] = revocations(anchor.sent)
        ack = {"nai": nai(1), "home_address": revocation.home_address, "identifier": revocation.identifier}
        anchor.ignore("no-authenticator", RevocationAck(**ack).encode(mn_ha=association(1)))
        anchor.ignore("bad-authenticator", RevocationAck(**ack).encode(fa_ha=OTHER))
        anchor.hear(RevocationAck(**ack).encode(fa_ha=KEY))
        assert anchor.notes[-1].name == "revocation-acknowledged"


class TestWhatIsNotSupported:
    @covers("P26", "H13")
    @pytest.mark.parametrize("method", [BY_IPSEC, (1, b"\0"), (1, b"\3"), (2, b"\1"), (9, b"")])
    def test_149_if_the_authenticator_is_right(self, anchor: Anchor, method: tuple[int, bytes]) -> None:
        reply = reply_of_mag(by_mag(anchor, per_node=method))
        assert (reply.code, reply.per_node) == (149, method)
        assert anchor.state() == ([], {})
        assert reply_of_mag(by_mag(Anchor(mags=[mag()]), OTHER, per_node=method)).code == 132

    @covers("P26")
    def test_149_for_a_node_key_with_47(self) -> None:
        """A MAG that is not listed has no association that 47/1 could mean."""
        Anchor().deny(149, per_node=BY_FA_HA)


class TestBesideMnHa:
    """A foreign agent's position: the node's key, and around it the key of the agent (D clear)."""

    def both(
        self, anchor: Anchor, fa_ha: SecurityAssociation | None = KEY, **fields: object
    ) -> RegistrationReply:
        asked = anchor.request(**({"flags": REVERSE_TUNNEL} | fields))
        [answer] = anchor.hear(asked.encode(mn_ha=association(1), fa_ha=fa_ha))
        reply = RegistrationReply.decode(answer.datagram)
        for found, key in ((reply.mn_ha, association(1)), (reply.fa_ha, KEY)):
            assert found is not None and key.verify(answer.datagram[: found.covered], found.value)
        return reply

    @covers("H6", "A2")
    def test_both_are_checked_and_both_come_back(self, anchor: Anchor) -> None:
        assert self.both(anchor).code == 1
        assert self.both(anchor).per_node is None

    @covers("H6")
    @pytest.mark.parametrize("fa_ha", [None, OTHER], ids=["missing", "wrong"])
    def test_132(self, anchor: Anchor, fa_ha: SecurityAssociation | None) -> None:
        assert self.both(anchor, fa_ha).code == 132
        assert (anchor.notes[-1].reason, anchor.state()) == ("132", ([], {}))

    @covers("H5", "H6")
    def test_the_identification_comes_first(self, anchor: Anchor) -> None:
        assert self.both(anchor, OTHER, skew=60).code == 133

    @covers("I6", "I10")
    def test_what_was_refused_cannot_be_replayed(self, anchor: Anchor) -> None:
        """Its MN-HA part was right, and is spent."""
        asked = anchor.request(flags=REVERSE_TUNNEL)
        anchor.hear(asked.encode(mn_ha=association(1), fa_ha=OTHER))
        [answer] = anchor.hear(asked.encode(mn_ha=association(1), fa_ha=KEY))
        assert RegistrationReply.decode(answer.datagram).code == 133

    @covers("A2", "H6")
    def test_a_deregistration_does_without_but_not_with_a_wrong_one(self, anchor: Anchor) -> None:
        self.both(anchor)
        assert self.both(anchor, OTHER, lifetime=0).code == 132
        assert anchor.binding() is not None
        assert self.both(anchor, None, lifetime=0).code == 1
        assert anchor.binding() is None

    @covers("H4")
    def test_a_wrong_mn_ha_that_a_mag_vouches_for_is_always_answered(self, anchor: Anchor) -> None:
        wrong = SecurityAssociation(association(1).spi, Secret(b"another key"))
        for _ in range(3):
            [answer] = anchor.hear(anchor.request().encode(mn_ha=wrong, fa_ha=KEY))
            assert RegistrationReply.decode(answer.datagram).code == 131

    @covers("RV2", "RV4", "N3")
    def test_what_fa_ha_covers_counts(self, anchor: Anchor) -> None:
        """137 behind MN-HA, where an agent puts its own."""
        reply = self.both(anchor, revocation=RevocationSupport(5), agent_part=frozenset({137}))
        assert reply.revocation is not None and reply.agent_part == {137}

    @covers("L5")
    def test_the_same_again_needs_both(self, anchor: Anchor) -> None:
        asked = anchor.request(flags=REVERSE_TUNNEL)
        right = asked.encode(mn_ha=association(1), fa_ha=KEY)
        anchor.hear(right)
        [answer] = anchor.hear(asked.encode(mn_ha=association(1), fa_ha=OTHER))
        assert RegistrationReply.decode(answer.datagram).code == 133
        anchor.names()
        anchor.hear(right)
        assert anchor.names() == ["registration-answered-again"]


class TestBehindNat:
    """N27: by source, by care-of address, by SPI."""

    @covers("N27", "N4")
    def test_by_care_of_address_where_udp_is_asked_for(self) -> None:
        inside = ipv4("10.9.8.7")
        anchor = Anchor(mags=[mag(inside)])
        fields = {"care_of_address": inside, "source": NAT}
        assert by_mag(anchor, **fields) == []
        assert reply_of_mag(by_mag(anchor, udp_tunnel=UdpTunnelRequest(), **fields)).code == 1

    @covers("N27")
    def test_by_spi_where_it_is_said_to_be_behind_one(self) -> None:
        anchor = Anchor(mags=[mag(MAG3, behind_nat=True)])
        fields = {"care_of_address": ipv4("10.9.8.7"), "source": NAT, "udp_tunnel": UdpTunnelRequest()}
        assert reply_of_mag(by_mag(anchor, **fields)).code == 1
        assert by_mag(Anchor(mags=[mag(MAG3)]), **fields) == []

    @covers("N27", "N28")
    def test_two_with_one_private_address_are_told_apart_by_spi(self) -> None:
        inside = ipv4("10.9.8.7")
        second = SecurityAssociation(0x2001, Secret(b"key of the second MAG"))
        anchor = Anchor(mags=[mag(inside), mag(MAG3, associations=(second,), behind_nat=True)])
        fields = {"care_of_address": inside, "source": NAT, "udp_tunnel": UdpTunnelRequest()}
        assert reply_of_mag(by_mag(anchor, second, **fields), second).code == 1


class TestPermission:
    @covers("P27", "H13")
    @pytest.mark.parametrize("lifetime", [0, 600])
    def test_proxy_off(self, lifetime: int) -> None:
        anchor = Anchor(mags=[mag(proxy=False), KnownMag(address=MAG2, proxy=False)])
        assert reply_of_mag(by_mag(anchor, lifetime=lifetime)).code == 150
        assert "P27" in anchor.deny(150, 1, MAG2, lifetime=lifetime).cause

    @covers("P75")
    def test_only_its_realms(self) -> None:
        """In whatever case; one stolen key of a MAG is no key to everybody's nodes."""
        anchor = Anchor(mags=[mag(realms=frozenset({b"example.net"}))])
        assert reply_of_mag(by_mag(anchor, nai=b"mn7@Example.NET")).code == 1
        for name in (b"mn7@example.com", b"mn7", b"example.net"):
            assert reply_of_mag(by_mag(anchor, nai=name)).code == 150

    @covers("P75")
    def test_only_its_own_care_of_address(self) -> None:
        """Else a MAG could end what is registered at another one."""
        anchor = Anchor(mags=[mag()])
        anchor.accept(1, MAG2)
        before = anchor.state()
        fields = {"nai": nai(1), "care_of_address": MAG2, "lifetime": 0}
        assert reply_of_mag(by_mag(anchor, **fields)).code == 150
        assert anchor.state() == before

    @covers("P24")
    def test_who_is_not_listed_does_as_before(self) -> None:
        anchor = Anchor(mags=[mag(MAG2, proxy=False)])
        anchor.accept(1, MAG1)

    @covers("P28")
    def test_150_is_about_the_mag_and_129_about_the_address(self) -> None:
        anchor = Anchor(mags=[mag()])
        assert reply_of_mag(by_mag(anchor, home_address=ipv4("172.16.0.1"))).code == 129


class TestRekeying:
    """Both keys are good for as long as both are configured; the answer is made with the one that was used."""

    OLD = SecurityAssociation(0x2000, Secret(b"the key before that"))
    OLDEST = SecurityAssociation(0x1FFF, Secret(b"a key under another SPI"))
    NEW = SecurityAssociation(0x2000, Secret(b"key of the first MAG"), previous=OLD)

    @pytest.mark.parametrize("used", [NEW, OLD, OLDEST], ids=["new", "previous", "other SPI"])
    def test_of_a_mag(self, used: SecurityAssociation) -> None:
        anchor = Anchor(mags=[mag(associations=(self.NEW, self.OLDEST))])
        assert reply_of_mag(by_mag(anchor, used, revocation=RevocationSupport(5)), used).code == 1
        binding = anchor.engine.bindings.get(STRANGER)
        assert binding is not None and binding.terms.fa_ha is used


class TestIpsec:
    """Method 2: nothing in the message proves it, the kernel does."""

    MAGS = (KnownMag(address=MAG1, mode=AuthenticationMode.IPSEC),)

    def protected(self) -> Anchor:
        anchor = Anchor(mags=self.MAGS)
        assert anchor.engine.ipsec_mags() == [MAG1]
        anchor.engine.protect(MAG1)
        return anchor

    def ask(self, anchor: Anchor, source: Ipv4 = MAG1, **fields: object) -> RegistrationReply:
        values = {"nai": STRANGER, "per_node": BY_IPSEC}
        [answer] = anchor.hear(anchor.request(**(values | fields)).encode(), source)
        reply = RegistrationReply.decode(answer.datagram)
        assert (reply.mn_ha, reply.fa_ha) == (None, None)
        return reply

    @covers("P73", "P11", "P25")
    def test_the_reply_has_47_and_no_authenticator(self) -> None:
        anchor = self.protected()
        reply = self.ask(anchor)
        assert (reply.code, reply.per_node) == (1, BY_IPSEC)
        assert anchor.engine.bindings.get(STRANGER) is not None
        assert self.ask(anchor, lifetime=0).code == 1
        assert anchor.state() == ([], {})

    @covers("P74")
    def test_149_where_the_kernel_does_not_demand_it(self) -> None:
        """Once a second: anybody can provoke it."""
        anchor = Anchor(mags=self.MAGS)
        assert self.ask(anchor).code == 149
        assert anchor.hear(anchor.request(nai=STRANGER, per_node=BY_IPSEC).encode()) == []
        assert anchor.state() == ([], {})
        assert anchor.notes[-1].reason == "ipsec-not-enforced"

    @covers("P74")
    def test_only_from_that_mag(self) -> None:
        anchor = self.protected()
        anchor.ignore("no-authenticator", anchor.request(nai=STRANGER, per_node=BY_IPSEC).encode(), MAG2)

    @covers("P74", "N27")
    def test_a_care_of_address_is_no_proof(self) -> None:
        """From behind a NAT, or from who says so: the policy is about the source."""
        anchor = self.protected()
        asked = anchor.request(nai=STRANGER, per_node=BY_IPSEC, udp_tunnel=UdpTunnelRequest())
        anchor.ignore("no-authenticator", asked.encode(), NAT)

    @covers("I6", "I10")
    def test_replays_within_esp(self) -> None:
        anchor = self.protected()
        captured = anchor.request(nai=STRANGER, per_node=BY_IPSEC).encode()
        anchor.hear(captured)
        anchor.hear(anchor.request(nai=STRANGER, per_node=BY_IPSEC, lifetime=0).encode())
        [answer] = anchor.hear(captured)
        assert RegistrationReply.decode(answer.datagram).code == 133

    @covers("L5")
    def test_the_same_again(self) -> None:
        anchor = self.protected()
        whole = anchor.request(nai=STRANGER, per_node=BY_IPSEC).encode()
        for _ in range(2):
            [answer] = anchor.hear(whole)
            assert RegistrationReply.decode(answer.datagram).code == 1
        anchor.hear(anchor.request(nai=STRANGER, per_node=BY_IPSEC).encode())
        assert anchor.names()[-1] == "binding-renewed"

    @covers("P73", "RV9")
    def test_revocations_need_no_authenticator_either(self) -> None:
        anchor = self.protected()
        self.ask(anchor, nai=nai(1), revocation=RevocationSupport(5))
        [send] = anchor.revoke(1)
        [revocation] = revocations([send])
        assert (revocation.mn_ha, revocation.fa_ha) == (None, None)
        ack = RevocationAck(home_address=revocation.home_address, identifier=revocation.identifier).encode()
        anchor.ignore("no-such-revocation", ack, MAG2)
        anchor.hear(ack)
        assert anchor.notes[-1].name == "revocation-acknowledged"

    @covers("P73", "RV35")
    def test_and_the_mag_may_revoke(self) -> None:
        anchor = self.protected()
        self.ask(anchor, nai=nai(1), revocation=RevocationSupport(5))
        binding = anchor.binding()
        assert binding is not None
        revocation = Revocation(
            from_home_agent=False,
            nai=nai(1),
            home_address=binding.home_address,
            home_domain=LMA,
            foreign_domain=MAG1,
            identifier=6,
        )
        anchor.ignore("bad-authenticator", revocation.encode(), MAG2)
        [ack] = anchor.hear(revocation.encode())
        assert RevocationAck.decode(ack.datagram).identifier == 6
        assert anchor.state() == ([], {})

    @covers("P73", "RV9")
    def test_but_not_what_another_one_has_registered(self) -> None:
        anchor = Anchor(mags=(*self.MAGS, KnownMag(address=MAG2, mode=AuthenticationMode.IPSEC)))
        for address in (MAG1, MAG2):
            anchor.engine.protect(address)
        self.ask(anchor, nai=nai(1), revocation=RevocationSupport(5))
        binding = anchor.binding()
        assert binding is not None
        revocation = Revocation(
            from_home_agent=False,
            home_address=binding.home_address,
            home_domain=LMA,
            foreign_domain=MAG1,
            identifier=6,
        )
        anchor.ignore("bad-authenticator", revocation.encode(), MAG2)
        assert len(anchor.hear(revocation.encode(), MAG1)) == 1

    @covers("P24")
    def test_the_keys_of_its_nodes_go_on_working(self) -> None:
        Anchor(mags=self.MAGS).accept(1, MAG1)
