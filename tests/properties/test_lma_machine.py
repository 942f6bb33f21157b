"""Whatever arrives at an LMA in whatever order: addresses, packet plane and bindings stay true to each other."""

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from pmip_tw.addresses import ALL_ONES, Ipv4, ipv4, prefix
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.owners import owner_of
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.effects import Send
from pmip_tw.secret import Secret
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelRequest
from pmip_tw.wire.registration import (
    COLOCATED,
    GRE,
    REVERSE_TUNNEL,
    SIMULTANEOUS,
    RegistrationReply,
    RegistrationRequest,
)
from pmip_tw.wire.revocation import Revocation, RevocationAck
from tests.conformance import covers
from tests.lma.anchor import BLUE, MAG1, MAG2, MAG3, NAT, Anchor, association, nai

ALL_NODES = (1, 2, BLUE, BLUE + 1)
NODES = st.sampled_from(ALL_NODES)
MAGS = st.sampled_from([MAG1, MAG2, MAG3])
SOURCES = st.sampled_from([MAG1, MAG2, MAG3, NAT])
LIFETIMES = st.sampled_from([0, 0, 1, 3, 30, 600, 65535])
WANTED = st.sampled_from([Ipv4(0), Ipv4(0), ALL_ONES, *(ipv4(f"10.1.0.{last}") for last in range(1, 6))])
SKEWS = st.sampled_from([0.0, 0.0, 0.0, 5.0, -5.0, 9.0])
BITS = st.sampled_from([0, SIMULTANEOUS, SIMULTANEOUS, GRE])
GRE_KEYS = st.sampled_from([None, None, 0, 7])
TECHNOLOGIES = st.sampled_from([None, 1, 2])
KEYS = {nai(node): association(node) for node in ALL_NODES}


class LmaMachine(RuleBasedStateMachine):
    """Two realms with the same one or five addresses, two nodes each, three MAGs, one of them behind a NAT at times."""

    under_way = Bundle("under_way")
    """Authentic datagrams that were sent and have not arrived yet."""
    captured = Bundle("captured")
    """Authentic datagrams that arrived and were answered by anything but 133."""
    revoked = Bundle("revoked")

    @initialize(
        interval=st.sampled_from([0.0, 1.0]),
        small=st.booleans(),
        most=st.sampled_from([1, 2, 3]),
        by_technology=st.booleans(),
    )
    def start(self, interval: float, small: bool, most: int, by_technology: bool) -> None:
        home = prefix("10.1.0.0/30" if small else "10.1.0.0/29")
        pools = Pools(
            [
                (AddressPool(home, hold=20.0), ["example.net"]),
                (AddressPool(home, hold=20.0, domain="blue"), ["blue.example"]),
            ]
        )
        self.anchor = Anchor(
            pools=pools,
            handover_min_interval=interval,
            max_bindings=most,
            by_technology=by_technology,
        )
        self.newest: dict[bytes, int] = {}

    @rule(
        target=under_way,
        node=NODES,
        mag=MAGS,
        lifetime=LIFETIMES,
        wanted=WANTED,
        skew=SKEWS,
        supports=st.booleans(),
        udp=st.sampled_from([None, UdpTunnelRequest(encapsulation=0), UdpTunnelRequest(forced=True)]),
        bits=BITS,
        gre_key=GRE_KEYS,
        technology=TECHNOLOGIES,
    )
    def send(self, node, mag, lifetime, wanted, skew, supports, udp, bits, gre_key, technology):
        request = self.anchor.request(
            node,
            mag,
            flags=REVERSE_TUNNEL | COLOCATED | bits,
            lifetime=lifetime,
            home_address=wanted,
            skew=skew,
            revocation=RevocationSupport(5) if supports else None,
            udp_tunnel=udp,
            gre_key=gre_key,
            access_technology=technology,
        )
        return request.encode(mn_ha=association(node))

    @rule(target=captured, payload=consumes(under_way), source=st.none() | SOURCES)
    def arrive(self, payload: bytes, source: Ipv4 | None):
        """From its MAG (source None), through a NAT, or from where it should not come."""
        request = RegistrationRequest.decode(payload)
        before = self.anchor.state()
        [answer, *_] = self.hear(payload, request.care_of_address if source is None else source)
        reply = RegistrationReply.decode(answer.datagram)
        if reply.code == 133:
            assert self.anchor.state() == before
            return multiple()
        owner = owner_of(request) if self.anchor.policy.by_technology else request.nai
        newest = self.newest.get(owner)
        assert newest is None or request.identification > newest
        self.newest[owner] = request.identification
        assert (reply.gre_key is None) == (request.gre_key is None)
        if reply.code != self.anchor.policy.accepting:
            assert self.anchor.state() == before
        elif request.lifetime:
            binding = self.anchor.engine.bindings.get(owner)
            assert binding is not None
            assert (binding.tunnel.key_in, binding.tunnel.key_out) == (
                reply.gre_key,
                request.gre_key or reply.gre_key,
            )
            if not request.flags & SIMULTANEOUS:
                assert binding.others == ()
            assert 0 < reply.lifetime <= min(request.lifetime, 3600)
            assert binding.deadline == self.anchor.clock.monotonic + reply.lifetime
            assert (binding.home_address, binding.care_of_address) == (
                reply.home_address,
                request.care_of_address,
            )
        return payload

    @rule(node=NODES, lifetimes=st.permutations([1, 3, 30]))
    def spread(self, node: int, lifetimes: list[int]) -> None:
        """At one MAG after the other, beside each other where that is allowed."""
        for mag, lifetime in zip((MAG1, MAG2, MAG3), lifetimes, strict=True):
            flags = REVERSE_TUNNEL | COLOCATED | SIMULTANEOUS
            request = self.anchor.request(node, mag, flags=flags, lifetime=lifetime)
            self.arrive(request.encode(mn_ha=association(node)), None)

    @rule(payload=captured, source=SOURCES)
    def replay(self, payload: bytes, source: Ipv4) -> None:
        before = self.anchor.state()
        self.hear(payload, source)
        assert self.anchor.state() == before

    @rule(node=NODES, mag=MAGS, lifetime=LIFETIMES, skew=SKEWS)
    def forge(self, node: int, mag: Ipv4, lifetime: int, skew: float) -> None:
        before = self.anchor.state()
        wrong = SecurityAssociation(association(node).spi, Secret(b"a guess"))
        self.hear(self.anchor.request(node, mag, lifetime=lifetime, skew=skew).encode(mn_ha=wrong), mag)
        assert self.anchor.state() == before

    @rule(
        payload=captured | under_way, position=st.integers(0, 200), flip=st.integers(1, 255), source=SOURCES
    )
    def tamper(self, payload: bytes, position: int, flip: int, source: Ipv4) -> None:
        before = self.anchor.state()
        changed = bytearray(payload)
        changed[position % len(payload)] ^= flip
        for send in self.anchor.hear(bytes(changed), source):
            assert RegistrationReply.decode(send.datagram).code == 131
        assert self.anchor.state() == before

    @rule(payload=st.binary(max_size=60))
    def noise(self, payload: bytes) -> None:
        before = self.anchor.state()
        assert self.anchor.hear(payload) == []
        assert self.anchor.state() == before

    @rule(target=revoked, seconds=st.sampled_from([0.1, 1.0, 1.5, 4.0, 20.0, 700.0]))
    def wait(self, seconds: float):
        sent = self.anchor.pass_time(seconds)
        self.check(sent)
        return multiple(*(send for send in sent if send.datagram[0] == MessageType.REVOCATION))

    @rule(send=revoked, authentic=st.booleans())
    def acknowledge(self, send: Send, authentic: bool) -> None:
        """However it ends, an acknowledgment touches no binding."""
        before = self.anchor.state()
        revocation = Revocation.decode(send.datagram)
        ack = RevocationAck(
            nai=revocation.nai, home_address=revocation.home_address, identifier=revocation.identifier
        )
        key = KEYS[revocation.nai if authentic else nai(1)]
        assert self.anchor.hear(ack.encode(mn_ha=key), send.destination.address) == []
        assert self.anchor.state() == before

    @rule(cause=st.sampled_from(["", "no memory"]))
    def packet_plane(self, cause: str) -> None:
        """It works again, or fails from now on."""
        self.anchor.broken = cause

    @invariant()
    def no_address_twice(self) -> None:
        """Of one address space (P85)."""
        keys = [binding.key for binding in self.anchor.engine.bindings]
        assert len(keys) == len(set(keys))
        assert all(ipv4("10.1.0.2") <= key.home_address <= ipv4("10.1.0.6") for key in keys)

    @invariant()
    def equal_addresses_are_told_apart_by_their_tunnels(self) -> None:
        """P45: at the MAG by the way down, here by the way up."""
        every = [one for bound in self.anchor.engine.bindings for one in bound.all]
        down = [(one.home_address, attrs.evolve(one.tunnel, key_in=None)) for one in every]
        up = [(one.home_address, attrs.evolve(one.tunnel, key_out=None)) for one in every]
        assert len(set(down)) == len(set(up)) == len(every)

    @invariant()
    def every_binding_has_its_own_gre_key(self) -> None:
        every = [one.tunnel.key_in for bound in self.anchor.engine.bindings for one in bound.all]
        keys = [key for key in every if key is not None]
        assert len(keys) == len(set(keys))
        assert self.anchor.engine.bindings.gre_keys._held == set(
            keys
        )  # none is lost, none is kept for nobody

    @invariant()
    def nobody_is_at_too_many_places(self) -> None:
        for bound in self.anchor.engine.bindings:
            places = {one.place for one in bound.all}
            assert len(places) == len(bound.all) <= self.anchor.policy.max_bindings
            assert all(one.key == bound.key and not one.others for one in bound.others)

    @invariant()
    def packet_plane_holds_the_bindings(self) -> None:
        assert self.anchor.installed == {
            binding.entry.key: binding.entry for binding in self.anchor.engine.bindings
        }

    @invariant()
    def nothing_outlives_its_lifetime(self) -> None:
        """By more than the second that a wake-up may be late."""
        now = self.anchor.clock.monotonic
        assert all(one.deadline > now - 1 for bound in self.anchor.engine.bindings for one in bound.all)

    def hear(self, payload: bytes, source: Ipv4) -> list[Send]:
        sent = self.anchor.hear(payload, source)
        self.check(sent)
        return sent

    def check(self, sent: list[Send]) -> None:
        """Everything that leaves verifies with the key of the node that it names."""
        for send in sent:
            kind = RegistrationReply if send.datagram[0] == MessageType.REGISTRATION_REPLY else Revocation
            message = kind.decode(send.datagram)
            assert message.mn_ha is not None
            assert KEYS[message.nai].verify(send.datagram[: message.mn_ha.covered], message.mn_ha.value)


LmaMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
TestLmaMachine = covers("H15", "I6", "I12", "L1", "L3", "L6", "P23", "P45", "P85", "RV10", "T5")(
    LmaMachine.TestCase
)
