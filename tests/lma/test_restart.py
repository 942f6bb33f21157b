"""A process is gone, and another one goes on where it was."""

import random
from collections.abc import Callable

import attrs
import pytest
from msgspec.structs import replace

from pmip_tw.addresses import ipv4, prefix
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.journal.records import LMA_JOURNAL, Bound, BoundOwner
from pmip_tw.lma.mags import KnownMag
from pmip_tw.mobility.associations import Algorithm, SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.mn_aaa import AaaAssociation, AaaTable, NodeKey
from pmip_tw.mobility.tunnels import AnchorKey, Encapsulation
from pmip_tw.secret import Secret
from pmip_tw.store.rows import RowCodec
from pmip_tw.wire.extension_fields import BY_FA_HA
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelRequest
from pmip_tw.wire.registration import (
    BROADCASTS,
    COLOCATED,
    GRE,
    REVERSE_TUNNEL,
    SIMULTANEOUS,
    RegistrationReply,
    RegistrationRequest,
)
from pmip_tw.wire.revocation import RevocationAck
from tests.conformance import covers
from tests.lma.anchor import (
    FIRST_ADDRESS,
    MAG1,
    MAG2,
    NAT,
    Anchor,
    association,
    bound,
    nai,
    places,
    reply_in,
    revocations,
)
from tests.lma.test_revoked import START, Scene

SUPPORT = RevocationSupport(START)
KEY = SecurityAssociation(0x2000, Secret(b"key of the first MAG"))
OF_AGENTS = KnownMag(address=MAG1, mode=AuthenticationMode.FA_HA, associations=(KEY,))
AAA = AaaTable([(nai(1).decode(), NodeKey(AaaAssociation(300, Secret(b"aaa")), association(1)))])
PLAIN = {"flags": REVERSE_TUNNEL | COLOCATED}


def _in_many_ways() -> list[tuple[str, Callable[[], Anchor]]]:
    """Every kind of binding that there is."""

    def way(name: str, *, settings: dict | None = None, **fields: object) -> tuple[str, Callable[[], Anchor]]:
        def made() -> Anchor:
            anchor = Anchor(**(settings or {}))
            anchor.accept(1, MAG1, **fields)
            return anchor

        return name, made

    def by_agents() -> Anchor:
        anchor = Anchor(mags=[OF_AGENTS])
        for node, signed in ((1, {"fa_ha": KEY}), (2, {"mn_ha": association(2), "fa_ha": KEY})):
            request = anchor.request(node, MAG1, per_node=BY_FA_HA if node == 1 else None)
            [answer] = anchor.hear(request.encode(**signed))
            assert RegistrationReply.decode(answer.datagram).code == 1
        return anchor

    def by_aaa() -> Anchor:
        anchor = Anchor(aaa=AAA)
        request = anchor.request(1, MAG1)
        [answer] = anchor.hear(request.encode(mn_aaa=AaaAssociation(300, Secret(b"aaa")).over(None)))
        assert RegistrationReply.decode(answer.datagram).code == 1
        return anchor

    def several() -> Anchor:
        anchor = Anchor(max_bindings=3)
        for mag, lifetime in ((MAG1, 600), (MAG2, 60)):
            flags = REVERSE_TUNNEL | COLOCATED | SIMULTANEOUS
            anchor.accept(1, mag, flags=flags, lifetime=lifetime, revocation=SUPPORT)
        return anchor

    def moved() -> Anchor:
        anchor = Anchor(handover_min_interval=0.0)
        anchor.accept(1, MAG1)
        anchor.accept(1, MAG2)
        return anchor

    return [
        way("plain"),
        way("revocable", revocation=SUPPORT),
        way("inform", settings={"revocation_inform": True}, revocation=RevocationSupport(START, inform=True)),
        way("behind a NAT", source=NAT, port=5434, udp_tunnel=UdpTunnelRequest()),
        way("UDP declined", udp_tunnel=UdpTunnelRequest()),
        way("GRE", flags=REVERSE_TUNNEL | COLOCATED | GRE),
        way("GRE key", gre_key=7, flags=REVERSE_TUNNEL | COLOCATED | GRE),
        way("broadcasts", settings={"tunnel_broadcast": True}, flags=REVERSE_TUNNEL | COLOCATED | BROADCASTS),
        way("identified", identifiers=((1, b"\2\0\0\0\0\1"),), access_technology=2),
        way("by technology", settings={"by_technology": True}, access_technology=2),
        ("FA-HA", by_agents),
        ("MN-AAA", by_aaa),
        ("several", several),
        ("moved", moved),
    ]


WAYS = _in_many_ways()


def _as_decided(binding: Binding) -> Binding:
    agreed = binding.revocation
    terms = binding.terms.without_form(0 if agreed is None else agreed.peer_timestamp)
    return replace(binding, others=(), terms=replace(terms, restored=False))


def promised(anchor: Anchor) -> dict[bytes, tuple[Binding, ...]]:
    """What everybody has, but for how the process came to know it."""
    return {bound.owner: tuple(_as_decided(one) for one in bound.all) for bound in anchor.engine.bindings}


class TestWhatIsLeft:
    @pytest.mark.parametrize("made", [made for _, made in WAYS], ids=[name for name, _ in WAYS])
    def test_a_binding_is_the_same(self, made: Callable[[], Anchor]) -> None:
        anchor = made()
        before, entries = promised(anchor), anchor.installed
        anchor.restart()
        assert promised(anchor) == before
        assert anchor.installed == entries
        assert anchor.notes[-1].name == "bindings-restored"

    @pytest.mark.parametrize("made", [made for _, made in WAYS], ids=[name for name, _ in WAYS])
    def test_after_a_reboot(self, made: Callable[[], Anchor]) -> None:
        """The monotonic clock has begun anew; what is left of each lifetime is the same."""
        anchor = made()
        left = [one.deadline - anchor.clock.monotonic for new in anchor.engine.bindings for one in new.all]
        anchor.restart(downtime=10, reboot=True)
        again = [one.deadline - anchor.clock.monotonic for new in anchor.engine.bindings for one in new.all]
        assert again == pytest.approx([seconds - 10 for seconds in left])

    @covers("P80", "P30")
    def test_it_goes_on(self) -> None:
        anchor = Anchor()
        for node in (1, 2):
            anchor.accept(node, MAG1)
        anchor.restart(downtime=2)
        assert anchor.accept(2, MAG1, home_address=FIRST_ADDRESS + 1).home_address == FIRST_ADDRESS + 1
        assert anchor.accept(1, MAG2).home_address == FIRST_ADDRESS
        assert anchor.accept(3, MAG1).home_address == FIRST_ADDRESS + 2
        assert [note.name for note in anchor.notes[-3:]] == [
            "binding-renewed",
            "binding-moved",
            "binding-created",
        ]

    def test_twice(self) -> None:
        anchor = Anchor()
        anchor.accept(1, MAG1, lifetime=60)
        anchor.restart(downtime=10)
        anchor.restart(downtime=10)
        anchor.accept(1, MAG1, lifetime=60)
        anchor.restart(downtime=30, reboot=True)
        assert bound(anchor) == {nai(1): (FIRST_ADDRESS, MAG1)}
        anchor.pass_time(31)
        assert bound(anchor) == {}

    @covers("P79")
    def test_when_it_moved(self) -> None:
        anchor = Anchor(handover_min_interval=2.0)
        anchor.accept(1, MAG1)
        anchor.accept(1, MAG2)
        anchor.restart(downtime=1)
        anchor.deny(130, 1, MAG1)
        anchor.clock.advance(1.5)
        anchor.accept(1, MAG1)

    @covers("T5")
    def test_gre_keys_are_not_given_twice(self) -> None:
        anchor = Anchor()
        fields = {"gre_key": 7, "flags": REVERSE_TUNNEL | COLOCATED | GRE}
        anchor.accept(1, MAG1, **fields)
        anchor.restart()
        assert anchor.engine.bindings.gre_keys._held == {anchor.binding().tunnel.key_in}


class TestManyAtOnce:
    """What was saved together is read together, and means what it means one by one."""

    @pytest.mark.parametrize("reboot", [False, True], ids=["process", "reboot"])
    @pytest.mark.parametrize("seed", range(12))
    def test_it_is_the_same_whatever_was_saved_together(self, seed: int, reboot: bool) -> None:
        apart, together = self.story(seed), self.story(seed)
        apart.restart(downtime=3, reboot=reboot)
        together.restart(downtime=3, reboot=reboot, one_row=True)
        assert promised(together) == promised(apart)
        assert together.installed == apart.installed
        for node in range(1, 10):
            lived_on = [anchor.accept(node, MAG2).home_address for anchor in (apart, together)]
            assert lived_on[0] == lived_on[1], "the same addresses are held for the same nodes"

    def story(self, seed: int) -> Anchor:
        """Some come, some go, some move, some are sent away; what they had wanders."""
        chance = random.Random(seed)
        anchor = Anchor(handover_min_interval=0.0, home="10.1.0.0/28")
        for _ in range(60):
            node = chance.randrange(1, 9)
            has = anchor.engine.bindings.get(nai(node)) is not None
            match chance.choice(["come", "come", "come", "go", "end", "wait"]):
                case "come":
                    anchor.accept(node, chance.choice([MAG1, MAG2]), lifetime=chance.choice([8, 600]))
                case "go":
                    anchor.accept(node, MAG1, lifetime=0)
                case "end" if has:
                    anchor.revoke(node)
                case _:
                    anchor.pass_time(1)
        return anchor

    def test_of_two_that_have_one_address_the_newer_keeps_it(self) -> None:
        """A write that was said to have failed may be there all the same."""
        for one_row in (False, True):
            anchor = Anchor()
            anchor.accept(1, MAG1)
            other = Anchor()
            other.accept(2, MAG1)
            anchor.journal += other.journal
            anchor.restart(one_row=one_row)
            assert bound(anchor) == {nai(2): (FIRST_ADDRESS, MAG1)}
            assert anchor.notes[-2].name == "binding-not-restored"


class TestEnds:
    @covers("L6", "P80")
    def test_what_expired_meanwhile_is_gone_and_its_address_held(self) -> None:
        anchor = Anchor(home="10.1.0.0/29", address_hold=100.0)
        anchor.accept(1, MAG1, lifetime=10)
        anchor.restart(downtime=20)
        assert bound(anchor) == {}
        assert anchor.accept(2, MAG1).home_address == FIRST_ADDRESS + 1
        anchor.deny(129, 3, MAG1, home_address=FIRST_ADDRESS)
        anchor.clock.advance(91)
        anchor.accept(3, MAG1, home_address=FIRST_ADDRESS)

    @covers("L2", "P80")
    def test_what_was_released_stays_so(self) -> None:
        anchor = Anchor()
        for node in (1, 2):
            anchor.accept(node, MAG1)
        anchor.release(1, MAG1)
        anchor.restart()
        assert bound(anchor) == {nai(2): (FIRST_ADDRESS + 1, MAG1)}
        assert anchor.accept(3, MAG1).home_address == FIRST_ADDRESS + 2
        assert anchor.accept(1, MAG1).home_address == FIRST_ADDRESS

    @covers("P80")
    def test_holds_end_in_the_order_in_which_they_began(self) -> None:
        """The oldest goes to somebody else first when there is nothing else."""
        anchor = Anchor(home="10.1.0.0/29")
        for node in (1, 2, 3, 4, 5):
            anchor.accept(node, MAG1)
        for node in (4, 2, 5, 1, 3):
            anchor.clock.advance(1)
            anchor.release(node, MAG1)
        anchor.restart()
        assert anchor.accept(6, MAG1).home_address == FIRST_ADDRESS + 3
        assert anchor.accept(7, MAG1).home_address == FIRST_ADDRESS + 1

    @covers("RV27")
    def test_what_an_operator_ended_stays_so(self) -> None:
        anchor = Anchor()
        anchor.accept(1, MAG1)
        anchor.revoke(1)
        anchor.restart()
        assert bound(anchor) == {}

    @covers("P38")
    def test_a_lease_that_ended_holds_no_address(self) -> None:
        anchor = Anchor()
        anchor.accept(1, MAG1)
        anchor.lease_ends(AnchorKey(FIRST_ADDRESS))
        anchor.restart()
        anchor.accept(2, MAG1, home_address=FIRST_ADDRESS)
        anchor.restart()
        assert bound(anchor) == {nai(2): (FIRST_ADDRESS, MAG1)}

    @covers("L3")
    def test_of_several_what_is_over_is_gone(self) -> None:
        """One was released, the lifetime of another one ended while nobody was there."""
        anchor = Anchor(max_bindings=3)
        beside = {"flags": REVERSE_TUNNEL | COLOCATED | SIMULTANEOUS}
        for mag, lifetime in ((MAG1, 600), (MAG2, 600), (NAT, 20)):
            anchor.accept(1, mag, lifetime=lifetime, **beside)
        anchor.release(1, MAG1)
        anchor.restart(downtime=30)
        assert places(anchor) == [MAG2]
        assert next(iter(anchor.installed.values())).copies == ()


def _node_of(payload: bytes) -> int:
    request = RegistrationRequest.decode(payload)
    return next(node for node in range(1, 10) if nai(node) == request.nai)


class TestReplays:
    @covers("I10", "I12")
    def test_nothing_that_was_heard_before_is_new(self) -> None:
        """Accepted, released, refused, ended by the operator: none of the requests binds again."""
        anchor = Anchor(handover_min_interval=0.0)
        heard = []
        for node in (1, 2, 3, 4):
            heard += [(anchor.datagram(node, MAG1), MAG1), (anchor.datagram(node, MAG2), MAG2)]
        for payload, mag in heard:
            anchor.hear(payload, mag)
        heard.append((anchor.datagram(1, MAG1, lifetime=0), MAG1))
        heard.append((anchor.datagram(2, MAG2, lifetime=0), MAG2))
        heard.append((anchor.datagram(3, MAG1, flags=0), MAG1))
        for payload, mag in heard[-3:]:
            anchor.hear(payload, mag)
        anchor.revoke(4)
        for reboot in (False, True):
            anchor.restart(downtime=1, reboot=reboot)
            before = anchor.state()
            for payload, mag in heard:
                anchor.hear(payload, mag)
            assert anchor.state() == before

    @covers("L5")
    def test_the_last_one_again_has_the_same_answer(self) -> None:
        anchor = Anchor()
        request = anchor.datagram(1, MAG1)
        reply = reply_in(anchor.hear(request)[0], 1)
        anchor.restart(downtime=2)
        again = reply_in(anchor.hear(request)[0], 1)
        assert (again.code, again.home_address, again.lifetime) == (1, reply.home_address, reply.lifetime - 2)

    @covers("I8", "I10")
    def test_what_was_ahead_stays_refused_when_its_time_comes(self) -> None:
        anchor = Anchor()
        ahead = anchor.datagram(1, MAG1, skew=9.0)
        assert reply_in(anchor.hear(ahead)[0], 1).code == 133
        anchor.restart(downtime=5)
        assert reply_in(anchor.hear(ahead)[0], 1).code == 133
        assert bound(anchor) == {}

    @covers("I6", "I8")
    def test_a_clock_that_was_set_back_meanwhile(self) -> None:
        """It goes on from where it was, so that whoever had registered can do so again, and nothing old is new."""
        anchor = Anchor()
        heard = anchor.datagram(1, MAG1)
        anchor.hear(heard)
        anchor.release(1, MAG1)
        anchor.accept(2, MAG1)
        anchor.clock.wall -= 7200
        anchor.restart(downtime=1, reboot=True)
        refused = anchor.ask(2, MAG1)
        assert refused.code == 133
        told = (refused.identification - anchor.request().identification) / 2**32
        assert told == pytest.approx(7200, abs=2)
        anchor.pass_time(0.1)
        assert "clock-set-back" in anchor.names()
        assert reply_in(anchor.hear(heard)[0], 1).code == 133
        anchor.accept(2, MAG1, skew=7201)

    @covers("I6", "I10")
    @pytest.mark.parametrize("reboot", [False, True])
    def test_a_clock_that_was_set_back_to_when_nobody_asked_any_more(self, reboot: bool) -> None:
        """Nothing that came later says so, and what was too old to be remembered is in time again."""
        anchor = Anchor()
        heard = [anchor.datagram(node, MAG1) for node in (1, 2, 3)]
        refused = anchor.datagram(4, MAG1, flags=0)
        for payload in heard:
            anchor.hear(payload)
        anchor.hear(refused)
        anchor.release(1, MAG1)
        anchor.revoke(2)
        heard.append(anchor.datagram(3, MAG1, lifetime=1))
        anchor.hear(heard[-1])
        anchor.pass_time(60)
        anchor.clock.wall -= 61
        anchor.restart(downtime=1, reboot=reboot)
        anchor.pass_time(1)
        for payload in (*heard, refused):
            assert reply_in(anchor.hear(payload)[0], _node_of(payload)).code == 133
        assert bound(anchor) == {}

    @covers("I10")
    def test_of_what_the_configuration_does_not_allow_any_more(self) -> None:
        """It has no binding, and its request makes none."""
        anchor = Anchor()
        request = anchor.datagram(1, MAG1)
        anchor.hear(request)
        anchor.restart(downtime=1, pools=Pools([(AddressPool(prefix("10.9.0.0/24")), [])]))
        assert bound(anchor) == {}
        assert reply_in(anchor.hear(request)[0], 1).code == 133

    @covers("I8", "I10")
    def test_of_many_that_were_ahead_the_last_are_remembered(self) -> None:
        anchor = Anchor()
        ahead = [anchor.datagram(1, MAG1, skew=9.0 + number / 10) for number in range(12)]
        for payload in ahead:
            assert reply_in(anchor.hear(payload)[0], 1).code == 133
        anchor.restart(downtime=9)
        assert [reply_in(anchor.hear(payload)[0], 1).code for payload in ahead[-8:]] == [133] * 8

    @covers("L6", "I10")
    def test_of_what_expired(self) -> None:
        anchor = Anchor()
        request = anchor.datagram(1, MAG1, lifetime=1)
        anchor.hear(request)
        anchor.restart(downtime=2)
        assert reply_in(anchor.hear(request)[0], 1).code == 133


class TestRevocations:
    def moved(self) -> Anchor:
        """Node 1 has moved to MAG 2; MAG 1 has not answered yet."""
        anchor = Anchor(handover_min_interval=0.0)
        anchor.accept(1, MAG1, revocation=SUPPORT)
        anchor.clock.advance(2)
        anchor.accept(1, MAG2, revocation=SUPPORT)
        return anchor

    @covers("RV14", "RV15", "RV23", "RV25")
    @pytest.mark.parametrize("reboot", [False, True])
    def test_what_was_not_acknowledged_is_sent_again_and_later(self, reboot: bool) -> None:
        anchor = self.moved()
        [before] = revocations(anchor.sent)
        anchor.restart(downtime=0.5, reboot=reboot)
        again = revocations(anchor.pass_time(60))
        assert 1 <= len(again) <= 6
        assert {one.foreign_domain for one in again} == {MAG1}
        identifiers = [before.identifier, *(one.identifier for one in again)]
        assert identifiers == sorted(set(identifiers))
        assert anchor.notes[-1].name == "revocation-unanswered"
        anchor.restart()
        assert anchor.pass_time(60) == []

    @covers("RV20")
    def test_an_acknowledgment_of_before_is_understood(self) -> None:
        anchor = self.moved()
        [before] = revocations(anchor.sent)
        ack = RevocationAck(nai=nai(1), home_address=FIRST_ADDRESS, identifier=before.identifier)
        anchor.restart()
        anchor.hear(ack.encode(mn_ha=association(1)), MAG1)
        assert anchor.notes[-1].name == "revocation-acknowledged"
        for _ in range(2):
            assert anchor.pass_time(60) == []
            anchor.restart()

    @covers("RV26")
    def test_who_is_back_is_not_revoked(self) -> None:
        anchor = self.moved()
        anchor.accept(1, MAG1, revocation=SUPPORT)
        anchor.restart()
        assert {one.foreign_domain for one in revocations(anchor.pass_time(60))} == {MAG2}

    @covers("RV6")
    def test_timestamps_do_not_fall_behind_identifiers(self) -> None:
        """Also if the machine's clock went back."""
        anchor = self.moved()
        anchor.pass_time(3)
        used = max(one.identifier for one in revocations(anchor.sent))
        anchor.clock.wall -= 3600
        anchor.restart(reboot=True)
        assert anchor.ask(1, MAG1).code == 133
        reply = anchor.accept(1, MAG1, skew=3601, revocation=SUPPORT)
        assert reply.revocation is not None and reply.revocation.timestamp >= used

    @covers("RV24")
    def test_not_beyond_the_lifetime(self) -> None:
        anchor = self.moved()
        anchor.restart(downtime=700)
        assert anchor.pass_time(60) == []

    @covers("RV17", "RV37")
    def test_a_revocation_received_is_remembered(self) -> None:
        """The same again is acknowledged, an older one is not, and neither ends what came after."""
        scene = Scene.with_node()
        scene.revoke(identifier=START + 12)
        scene.anchor.restart(downtime=1)
        scene.anchor.accept(1, MAG1, revocation=RevocationSupport(START + 20))
        before = scene.anchor.state()
        scene.revoke(identifier=START + 12)
        older = scene.message(identifier=START + 11).encode(mn_ha=association(1))
        scene.anchor.ignore("replayed", older)
        assert scene.anchor.state() == before

    @covers("RV16")
    def test_a_mag_may_still_revoke(self) -> None:
        scene = Scene.with_node()
        scene.anchor.restart(downtime=4, reboot=True)
        scene.revoke()
        assert scene.anchor.binding() is None


class TestOtherConfiguration:
    def told(self, anchor: Anchor) -> list[str]:
        notes = [note for note in anchor.notes if note.name == "binding-not-restored"]
        assert all(note.reason == "configuration-changed" for note in notes)
        return [f"{note.nai}: {note.cause}" for note in notes]

    def two(self, **settings: object) -> Anchor:
        anchor = Anchor(**settings)
        for node in (1, 2):
            anchor.accept(node, MAG1, access_technology=2)
        return anchor

    def test_a_node_that_is_not_known_any_more(self) -> None:
        anchor = self.two()
        anchor.restart(nodes=1)
        assert list(bound(anchor)) == [nai(1)]
        [told] = self.told(anchor)
        assert told.startswith(nai(2).decode()) and "no key" in told

    def test_another_pool(self) -> None:
        anchor = self.two()
        anchor.restart(home="10.2.0.0/29")
        assert bound(anchor) == {}
        assert len(self.told(anchor)) == 2 and "in no pool" in self.told(anchor)[0]
        assert anchor.accept(1, MAG1).home_address == ipv4("10.2.0.2")

    def test_a_fixed_address_now(self) -> None:
        anchor = self.two()
        anchor.restart(
            pools=Pools([(AddressPool(prefix("10.1.0.0/29")), [])], {nai(1).decode(): ipv4("10.1.0.6")})
        )
        assert list(bound(anchor)) == [nai(2)]
        assert "fixed home address" in self.told(anchor)[0]

    def test_an_address_of_our_own(self) -> None:
        anchor = self.two()
        anchor.restart(policy={"address": ipv4("192.0.2.9")})
        assert bound(anchor) == {}
        assert "our address is another one" in self.told(anchor)[0]

    def test_another_way_to_name_bindings(self) -> None:
        anchor = self.two()
        anchor.restart(policy={"by_technology": True})
        assert bound(anchor) == {} and "binding_key" in self.told(anchor)[0]

    def test_stricter_rules_are_for_what_comes(self) -> None:
        """What was promised stands until it is renewed."""
        anchor = Anchor()
        flags = REVERSE_TUNNEL | COLOCATED | GRE
        for node in (1, 2):
            anchor.accept(node, MAG1, flags=flags if node == 1 else COLOCATED | REVERSE_TUNNEL, lifetime=600)
        before = promised(anchor)
        anchor.restart(policy={"encapsulations": frozenset({Encapsulation.IP_IN_IP}), "max_lifetime": 60})
        assert promised(anchor) == before
        for mag in (MAG1, MAG2):
            anchor.deny(139, 1, mag, flags=flags)
        assert anchor.accept(2, MAG1, lifetime=600).lifetime == 60

    def test_a_key_that_is_being_changed(self) -> None:
        """The MAG may still have the one that the registration was made with."""
        anchor = Anchor(mags=[OF_AGENTS])
        anchor.hear(anchor.request(1, MAG1, per_node=BY_FA_HA).encode(fa_ha=KEY))
        changed = SecurityAssociation(0x2000, Secret(b"a new key"), Algorithm.HMAC_MD5, previous=KEY)
        anchor.restart(mags=(attrs.evolve(OF_AGENTS, associations=(changed,)),))
        [binding] = anchor.engine.bindings
        assert binding.terms.fa_ha == KEY

    def test_an_address_that_two_have(self) -> None:
        """A write that was reported as failed, and is there all the same: the newest counts."""
        anchor = Anchor(home="10.1.0.0/30")
        anchor.accept(1, MAG1)
        [lost] = anchor.journal
        anchor.journal.clear()
        anchor.restart()
        anchor.accept(2, MAG1)
        anchor.journal.insert(0, lost)
        anchor.restart()
        assert bound(anchor) == {nai(2): (FIRST_ADDRESS, MAG1)}
        assert "has been given to" in self.told(anchor)[0]


def test_an_empty_journal() -> None:
    anchor = Anchor()
    anchor.restart()
    assert anchor.notes == []


def test_no_key_is_kept() -> None:
    """What the journal has of a key is what the wire has: authenticators."""
    anchor = Anchor(mags=[OF_AGENTS], handover_min_interval=0.0)
    anchor.accept(2, MAG2, revocation=SUPPORT)
    anchor.clock.advance(2)
    anchor.accept(2, NAT, revocation=SUPPORT)
    anchor.hear(anchor.request(1, MAG1, per_node=BY_FA_HA).encode(fa_ha=KEY))
    everything = b"".join(anchor.journal)
    assert nai(2) in everything and b"key of" not in everything


def test_what_waits_for_its_node_is_not_made_for_who_proves_nothing() -> None:
    """One forged request for each of a million nodes would cost what reading them all does."""
    anchor = Anchor()
    anchor.accept(1, MAG1)
    codec = RowCodec(LMA_JOURNAL)
    anchor.engine = anchor._new_engine()
    anchor.engine.restore([(0.0, codec.decode(row)) for row in anchor.journal], anchor.clock.now())
    [waiting] = anchor.engine.bindings.waiting()
    request = anchor.datagram(1, MAG1)
    anchor.hear(request[:-1] + bytes((request[-1] ^ 1,)))
    assert anchor.notes[-1].reason == "bad-authenticator"
    assert [*anchor.engine.bindings.waiting()] == [waiting]
    assert reply_in(anchor.hear(request)[0], 1).code == 1
    assert [*anchor.engine.bindings.waiting()] == []


def test_a_row_is_superseded_when_all_in_it_are_known() -> None:
    """Of three rows two are not read: but who is in one of them alone comes back."""
    anchor = Anchor()
    for node in (1, 2):
        anchor.accept(node, MAG1)
    anchor.clock.advance(60)
    anchor.accept(1, MAG1)
    known = anchor.engine.knows_all
    assert known([BoundOwner(nai(1)), BoundOwner(nai(2))])
    assert not known([BoundOwner(nai(1)), BoundOwner(nai(3))])
    before = {bound.owner: bound.deadline for bound in anchor.engine.bindings}
    anchor.restart()
    assert {bound.owner: bound.deadline for bound in anchor.engine.bindings} == before
    assert len(before) == 2


def test_of_a_row_with_one_node_twice_the_newest_counts() -> None:
    anchor = Anchor()
    for _ in range(3):
        anchor.accept(1, MAG1)
        anchor.clock.advance(60)
    [before] = anchor.engine.bindings
    anchor.restart(one_row=True)
    [after] = anchor.engine.bindings
    assert (after.deadline, after.identification) == (before.deadline, before.identification)


def test_the_outline_is_the_beginning_of_a_bound() -> None:
    assert LMA_JOURNAL.outline is BoundOwner
    fields = BoundOwner.__struct_fields__
    assert fields == Bound.__struct_fields__[: len(fields)] == Bound.identity
    assert BoundOwner.__struct_config__.tag == Bound.__struct_config__.tag
