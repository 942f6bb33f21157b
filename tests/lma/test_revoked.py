"""A MAG revokes (RV35): what an LMA takes, what it does, what it answers."""

import attrs
import pytest

from pmip_tw.addresses import Endpoint, Ipv4, ipv4
from pmip_tw.lma.mags import KnownMag
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_fields import BY_FA_HA
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelRequest
from pmip_tw.wire.registration import REVERSE_TUNNEL
from pmip_tw.wire.revocation import Revocation, RevocationAck
from tests.conformance import covers
from tests.lma.anchor import FIRST_ADDRESS, LMA, MAG1, MAG2, NAT, Anchor, association, nai, revocations

START = 5_000
"""The clock of MAG 1 when it registers: its own, Unix time or not (RV6)."""

KEY = SecurityAssociation(0x2000, Secret(b"key of the first MAG"))
KNOWN = KnownMag(address=MAG1, mode=AuthenticationMode.FA_HA, associations=(KEY,))


@attrs.define
class Scene:
    """Node 1 is registered by MAG 1, whose clock stood at START; ``revoke`` is what MAG 1 sends."""

    anchor: Anchor

    @classmethod
    def with_node(cls, *, inform: bool = False, **policy: object) -> "Scene":
        anchor = Anchor(handover_min_interval=0.0, **policy)
        anchor.accept(1, MAG1, revocation=RevocationSupport(START, inform=inform))
        anchor.clock.advance(10)
        return cls(anchor)

    def message(self, **fields: object) -> Revocation:
        values = {
            "from_home_agent": False,
            "nai": nai(1),
            "home_address": FIRST_ADDRESS,
            "home_domain": LMA,
            "foreign_domain": MAG1,
            "identifier": START + 10,
        }
        return Revocation(**(values | fields))

    def revoke(self, source: Ipv4 = MAG1, **fields: object) -> RevocationAck:
        """It is acknowledged, authentically, to where it came from."""
        message = self.message(**fields)
        [send] = self.anchor.hear(message.encode(mn_ha=association(1)), source, 434)
        ack = RevocationAck.decode(send.datagram)
        assert ack.mn_ha is not None and association(1).verify(
            send.datagram[: ack.mn_ha.covered], ack.mn_ha.value
        )
        assert (send.destination, send.source) == (Endpoint(source, 434), LMA)
        assert (ack.home_address, ack.identifier) == (message.home_address, message.identifier)
        return ack

    def ignore(self, reason: str, key: SecurityAssociation | None = None, **fields: object) -> None:
        payload = self.message(**fields).encode(mn_ha=key or association(1))
        self.anchor.ignore(reason, payload)


@covers("RV35", "RV13")
@pytest.mark.parametrize("name", [nai(1), b""], ids=["named", "not named"])
def test_the_binding_and_its_entry_end_before_the_acknowledgment(name: bytes) -> None:
    scene = Scene.with_node()
    assert scene.revoke(nai=name).inform is False
    assert scene.anchor.state() == ([], {})
    assert scene.anchor.names()[-1] == "revocation-received"


@covers("RV35")
def test_the_node_may_come_back_at_once_and_keeps_its_address() -> None:
    scene = Scene.with_node()
    scene.revoke()
    reply = scene.anchor.accept(1, MAG1, revocation=RevocationSupport(START + 11))
    assert reply.home_address == FIRST_ADDRESS


@covers("I10")
def test_what_was_captured_before_does_not_bring_it_back() -> None:
    anchor = Anchor()
    captured = anchor.datagram(1, MAG1, revocation=RevocationSupport(START))
    anchor.hear(captured)
    Scene(anchor).revoke(identifier=START + 1)
    anchor.hear(captured)
    assert anchor.state() == ([], {})


class TestWhatIsNotTaken:
    @covers("RV18")
    def test_our_own_role(self) -> None:
        Scene.with_node().ignore("reflected", from_home_agent=True)

    @covers("RV38")
    @pytest.mark.parametrize("address", [Ipv4(0), MAG1, ipv4("192.0.2.2")])
    def test_another_home_domain(self, address: Ipv4) -> None:
        Scene.with_node().ignore("not-ours", home_domain=address)

    @covers("RV9", "RV12")
    def test_a_wrong_key(self) -> None:
        """Neither binding nor replay state: the right one still works."""
        scene = Scene.with_node()
        scene.ignore("bad-authenticator", SecurityAssociation(association(1).spi, Secret(b"another key")))
        scene.ignore("bad-authenticator", association(2))
        scene.anchor.ignore("bad-authenticator", scene.message().encode())
        scene.revoke()

    @covers("RV9", "RV11")
    def test_the_key_of_another_node(self) -> None:
        """It is authentic for its own node, which has no such binding."""
        scene = Scene.with_node()
        before = scene.anchor.state()
        message = scene.message(nai=nai(2))
        scene.anchor.hear(message.encode(mn_ha=association(2)))
        assert scene.anchor.state() == before

    @covers("RV1")
    def test_where_it_was_not_agreed_upon(self) -> None:
        anchor = Anchor()
        anchor.accept(1, MAG1)
        Scene(anchor).ignore("not-negotiated")

    @covers("RV16")
    @pytest.mark.parametrize("identifier", [START, START - 1])
    def test_not_later_than_the_registration(self, identifier: int) -> None:
        """Equal is not enough: it may be about the stay before."""
        scene = Scene.with_node()
        scene.ignore("stale", identifier=identifier)
        scene.revoke(identifier=START + 1)

    @covers("RV17")
    @pytest.mark.parametrize("off", [301, -301])
    def test_outside_the_window_of_the_mags_clock(self, off: int) -> None:
        scene = Scene.with_node()
        scene.anchor.clock.advance(400)
        scene.ignore("outside-window", identifier=START + 410 + off)
        scene.revoke(identifier=START + 410 + off - (1 if off > 0 else -1))

    @covers("RV19")
    def test_identifiers_of_other_nodes_mean_nothing(self) -> None:
        scene = Scene.with_node()
        scene.anchor.accept(2, MAG1, revocation=RevocationSupport(START + 500))
        scene.revoke()
        assert scene.anchor.binding(2) is not None

    @covers("RV19")
    def test_what_another_mag_has_said_means_nothing(self) -> None:
        """The first one's clock is far ahead of the second one's; each is compared with itself."""
        scene = Scene.with_node()
        scene.anchor.accept(1, MAG2, revocation=RevocationSupport(7))
        scene.ignore("stale", foreign_domain=MAG2, identifier=7)
        scene.revoke(MAG2, foreign_domain=MAG2, identifier=8)
        assert scene.anchor.binding() is None

    def test_every_truncation(self) -> None:
        scene = Scene.with_node()
        whole = scene.message().encode(mn_ha=association(1))
        for length in range(1, len(whole)):
            assert scene.anchor.hear(whole[:length]) == []
        assert scene.anchor.binding() is not None


class TestOnceMore:
    @covers("RV17", "RV37")
    def test_the_same_again_is_acknowledged_again_and_does_nothing(self) -> None:
        scene = Scene.with_node()
        scene.revoke()
        scene.anchor.accept(1, MAG1, revocation=RevocationSupport(START + 10))
        before = scene.anchor.state()
        scene.revoke()
        assert scene.anchor.state() == before

    @covers("RV37")
    def test_a_later_try_for_what_is_gone(self) -> None:
        """The acknowledgment was lost; with or without a name."""
        scene = Scene.with_node()
        scene.revoke()
        assert scene.revoke(identifier=START + 12).inform is False
        assert scene.anchor.names()[-1] == "revocation-without-binding"

    @covers("RV17")
    def test_an_older_one_is_a_replay(self) -> None:
        scene = Scene.with_node()
        scene.revoke()
        scene.ignore("replayed", identifier=START + 9)

    @covers("RV37", "P34")
    def test_after_a_handover_the_new_binding_stays(self) -> None:
        scene = Scene.with_node()
        scene.anchor.accept(1, MAG2)
        before = scene.anchor.state()
        scene.revoke()
        assert scene.anchor.state() == before

    @covers("RV37")
    def test_of_what_never_was(self) -> None:
        anchor = Anchor()
        assert Scene(anchor).revoke().inform is False
        assert anchor.state() == ([], {})

    def test_after_a_restart(self) -> None:
        """Nothing is remembered, and everything is answered, so that the MAG does not go on."""
        Scene(Anchor()).revoke(identifier=7)


class TestInform:
    @covers("RV5", "RV35")
    @pytest.mark.parametrize(("ours", "theirs"), [(True, True), (True, False), (False, True)])
    def test_agreed_if_both_say_so(self, ours: bool, theirs: bool) -> None:
        anchor = Anchor(revocation_inform=ours)
        reply = anchor.accept(1, MAG1, revocation=RevocationSupport(START, inform=theirs))
        assert reply.revocation is not None and reply.revocation.inform is (ours and theirs)

    @covers("RV35")
    @pytest.mark.parametrize("asked", [True, False])
    def test_the_node_is_to_be_told_if_the_mag_asks(self, asked: bool) -> None:
        scene = Scene.with_node(inform=True, revocation_inform=True)
        assert scene.revoke(inform=asked).inform is asked

    @covers("RV35", "RV36")
    def test_not_if_it_was_not_agreed_upon(self) -> None:
        assert Scene.with_node(inform=True).revoke(inform=True).inform is False


class TestByTheKeyOfTheMag:
    """P76: what proved the registration proves its revocation."""

    def scene(self) -> Scene:
        anchor = Anchor(mags=[KNOWN])
        fields = {"per_node": BY_FA_HA, "flags": REVERSE_TUNNEL, "revocation": RevocationSupport(START)}
        anchor.hear(anchor.request(**fields).encode(fa_ha=KEY))
        anchor.clock.advance(10)
        return Scene(anchor)

    @covers("RV9", "RV11", "P76")
    def test_fa_ha(self) -> None:
        """Found by the care-of address in the message, from wherever it comes."""
        scene = self.scene()
        [send] = scene.anchor.hear(scene.message().encode(fa_ha=KEY), MAG2)
        ack = RevocationAck.decode(send.datagram)
        assert ack.mn_ha is None and ack.fa_ha is not None
        assert KEY.verify(send.datagram[: ack.fa_ha.covered], ack.fa_ha.value)
        assert scene.anchor.state() == ([], {})

    @covers("RV11", "P76")
    def test_fa_ha_behind_a_nat_where_another_mag_has_the_same_private_address(self) -> None:
        """The SPI tells them apart, in a revocation as in a request (N27)."""
        spi = SecurityAssociation(0x3000, Secret(b"key of the one behind a NAT"))
        hidden = KnownMag(address=MAG2, mode=AuthenticationMode.FA_HA, associations=(spi,), behind_nat=True)
        anchor = Anchor(mags=[KNOWN, hidden])
        asked = anchor.request(
            per_node=BY_FA_HA,
            flags=REVERSE_TUNNEL,
            revocation=RevocationSupport(START),
            udp_tunnel=UdpTunnelRequest(),
        )
        anchor.hear(asked.encode(fa_ha=spi), NAT)
        assert anchor.binding() is not None
        anchor.clock.advance(10)
        anchor.hear(Scene(anchor).message().encode(fa_ha=spi), NAT)
        assert anchor.state() == ([], {})

    @covers("RV13", "RV37")
    def test_of_another_node_it_is_of_nothing(self) -> None:
        """Node 2 had the address there before: it is gone already, and node 1 stays."""
        anchor = self.scene().anchor
        before = anchor.state()
        [send] = anchor.hear(Scene(anchor).message(nai=nai(2)).encode(fa_ha=KEY))
        assert RevocationAck.decode(send.datagram).identifier == START + 10
        assert anchor.state() == before

    @covers("P76", "RV9")
    def test_the_nodes_key_does_not_end_it(self) -> None:
        scene = self.scene()
        scene.anchor.ignore("bad-authenticator", scene.message().encode(mn_ha=association(1)))

    @covers("P76", "RV9")
    def test_nor_does_the_mags_key_end_what_the_nodes_key_began(self) -> None:
        anchor = Anchor(mags=[attrs.evolve(KNOWN, address=MAG2)])
        anchor.accept(1, MAG1, revocation=RevocationSupport(START))
        before = anchor.state()
        anchor.hear(Scene(anchor).message(foreign_domain=MAG2).encode(fa_ha=KEY))
        anchor.hear(Scene(anchor).message().encode(fa_ha=KEY))
        assert anchor.state() == before

    @covers("P76", "RV9")
    def test_nor_is_it_told_that_it_did(self) -> None:
        """A MAG that the LMA has a key of, and whose nodes register by their own."""
        anchor = Anchor(mags=[attrs.evolve(KNOWN, behind_nat=True, address=MAG2)])
        anchor.accept(1, MAG1, revocation=RevocationSupport(START))
        anchor.clock.advance(10)
        anchor.ignore("bad-authenticator", Scene(anchor).message().encode(fa_ha=KEY))

    def test_a_changed_key(self) -> None:
        """The MAG has gone over to its new key since it registered."""
        old = SecurityAssociation(0x2000, Secret(b"the key before that"))
        new = SecurityAssociation(0x2000, Secret(b"key of the first MAG"), previous=old)
        anchor = Anchor(mags=[attrs.evolve(KNOWN, associations=(new,))])
        fields = {"per_node": BY_FA_HA, "flags": REVERSE_TUNNEL, "revocation": RevocationSupport(START)}
        anchor.hear(anchor.request(**fields).encode(fa_ha=old))
        anchor.hear(Scene(anchor).message(identifier=START + 1).encode(fa_ha=new))
        assert anchor.state() == ([], {})


@covers("RV37")
def test_revocations_that_cross() -> None:
    """Both ends at once: each is acknowledged, though there is nothing left to end."""
    scene = Scene.with_node()
    scene.anchor.revoke(1)
    assert len(revocations(scene.anchor.sent)) == 1
    assert scene.revoke().inform is False
