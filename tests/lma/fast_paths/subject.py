"""An LMA of any configuration, and all that can be seen of it."""

import random
from collections.abc import Iterable
from typing import Any

from pmip_tw.addresses import Ipv4, ipv4, prefix
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.journal.recording import bound_record
from pmip_tw.lma.mags import KnownMag
from pmip_tw.lma.registration.commitment import Effect, Wait
from pmip_tw.lma.workers.leased_pool import LeasedPool
from pmip_tw.lma.workers.leased_pools import LeasedPools
from pmip_tw.lma.workers.leases import Lease
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.mobility.mn_aaa import AaaAssociation, AaaTable, NodeKey
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.secret import Secret
from tests.lma.anchor import BLUE, MAG1, MAG2, MAG3, Anchor, association, nai

BETWEEN = SecurityAssociation(0x2000, Secret(b"key of the first MAG"))
AAA = AaaAssociation(5000, Secret(b"of the AAA server"))

NAMES = {
    1: nai(1),
    2: nai(2),
    3: nai(3),
    4: b"x",
    5: b"m" * 240 + b"@EXAMPLE.net",
    6: b"n" * 255,
    7: b"nobody@example.net",
    8: b"",
    BLUE: nai(BLUE),
    BLUE + 1: nai(BLUE + 1),
}
OLD = SecurityAssociation(4098, Secret(b"the key before"))
KEYS = {
    1: association(1),
    2: SecurityAssociation(4098, Secret(b"the new key"), previous=OLD),
    3: SecurityAssociation(4099, Secret(b"another algorithm"), Algorithm.HMAC_SHA1),
    4: SecurityAssociation(4100, Secret(b"RFC 2002"), Algorithm.KEYED_MD5_RFC2002),
    5: association(5),
    6: SecurityAssociation(4102, Secret(b"the longest"), Algorithm.HMAC_SHA256),
    BLUE: association(BLUE),
    BLUE + 1: association(BLUE),
}
FURTHER = SecurityAssociation(9000, Secret(b"a second key of node 1"))
FIXED = ipv4("10.1.0.6")


def configuration(draw: random.Random) -> dict[str, Any]:
    """Of an LMA; what is not drawn stays as it is by default."""
    maybe = lambda odds, value, other: value if draw.random() < odds else other  # noqa: E731
    return {
        "policy": {
            "handover_min_interval": draw.choice((0.0, 0.0, 1.0)),
            "max_bindings": draw.choice((1, 1, 2, 3)),
            "by_technology": maybe(0.1, True, False),
            "tunnel_broadcast": maybe(0.4, True, False),
            "revocation_inform": maybe(0.5, True, False),
            "require_revocation": maybe(0.1, True, False),
            "revoke_on_handover": maybe(0.9, True, False),
            "dynamic_home_agent": maybe(0.2, True, False),
            "redirects": maybe(0.2, {b"blue.example": ipv4("192.0.2.9")}, {}),
            "nat_traversal": maybe(0.8, True, False),
            "forced_udp": maybe(0.8, True, False),
            "nat_max_lifetime": draw.choice((600, 60)),
            "max_lifetime": draw.choice((3600, 500)),
            "strict_reserved_bits": maybe(0.1, True, False),
            "gre_key_with_d": maybe(0.7, True, False),
            "resync_beyond_last": maybe(0.7, True, False),
            "explain_refusals": maybe(0.2, True, False),
            "encapsulations": draw.choice(
                (frozenset(Encapsulation), frozenset(Encapsulation), frozenset({Encapsulation.IP_IN_IP}))
            ),
        },
        "pools": draw.choice(("small", "small", "overlapping", "realms", "leased")),
        "hold": draw.choice((20.0, 3600.0)),
        "static": maybe(0.3, True, False),
        "mags": draw.choice(("none", "none", "none", "keys", "per node", "ipsec", "behind a NAT", "draft")),
    }


def _pools(config: dict[str, Any]) -> Pools:
    hold = config["hold"]
    static = {"mn1@example.net": FIXED} if config["static"] else None
    home = prefix("10.1.0.0/29")
    if config["pools"] == "small":
        return Pools([(AddressPool(home, hold=hold), [])], static)
    if config["pools"] == "leased":
        return LeasedPools([(LeasedPool(home, hold=hold, block=2), [])], static)
    if config["pools"] == "overlapping":
        blue = AddressPool(home, hold=hold, domain="blue")
        return Pools([(AddressPool(home, hold=hold), []), (blue, ["blue.example"])], static)
    other = AddressPool(prefix("10.2.0.0/30"), hold=hold)
    return Pools([(AddressPool(home, hold=hold), ["example.net"]), (other, ["blue.example"])], static)


def _mags(config: dict[str, Any]) -> tuple[KnownMag, ...]:
    return {
        "none": (),
        "keys": (KnownMag(address=MAG1, mode=AuthenticationMode.FA_HA, associations=(BETWEEN,)),),
        "per node": (
            KnownMag(address=MAG1, realms=frozenset({b"example.net"})),
            KnownMag(address=MAG3, proxy=False),
        ),
        "ipsec": (KnownMag(address=MAG1, mode=AuthenticationMode.IPSEC),),
        "behind a NAT": (
            KnownMag(address=MAG2, mode=AuthenticationMode.FA_HA, associations=(BETWEEN,), behind_nat=True),
        ),
        "draft": (KnownMag(address=MAG1, draft03=True),),
    }[config["mags"]]


class Subject(Anchor):
    """An Anchor of such a configuration; it may be one of several workers."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.asks: list[Wait] = []
        super().__init__(mags=_mags(config), **config["policy"])

    def _new_engine(self) -> LmaEngine:
        aaa = AaaTable([("mn3@example.net", NodeKey(AAA, KEYS[3]))])
        self.made["pools"] = self.pools = _pools(self.config)
        self.made["aaa"] = aaa
        engine = super()._new_engine()
        for node, key in KEYS.items():
            engine._intake._associations.add(NAMES[node], key)
        engine._intake._associations.add(NAMES[1], FURTHER)
        return engine

    def _run(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Wait):
                self.asks.append(effect)
            else:
                super()._run([effect])

    def supply(self, blocks: list[Ipv4]) -> None:
        """Worker 0 answers what was asked first, and the request that has waited goes on."""
        if not self.asks:
            return
        wait = self.asks.pop(0)
        now = self.clock.now()
        assert isinstance(self.pools, LeasedPools)
        self.pools.lent(Lease(wait.ask.pool, wait.ask.wanted, blocks, []), now.monotonic)
        if wait.asked is not None:
            self.hear(wait.asked.payload, *wait.asked.source, wait.asked.local)

    def inside(self) -> tuple[object, ...]:
        """All that it knows and that may come to light some time."""
        engine = self.engine
        revoker, intake = engine._revoker, engine._intake
        return (
            {bound.owner: _plain(bound) for bound in engine.bindings},
            self.installed,
            {name: intake._floors.last_valid(name, None) for name in NAMES.values()},
            [(one.identity, one.identification, one.until) for one in intake._floors._by_age],
            {**intake._refused_ahead._refused},
            {**intake._limit._answered},
            {**intake._limit_131._answered},
            {key: (one.tries, one.identifiers, one.next_try) for key, one in revoker._pending.items()},
            [*revoker._outstanding],
            {**revoker._last_identifiers},
            {**engine._revoked._tombstones},
            [[(address, pool.user(address), pool._held.get(address)) for address in _within(pool)]
             for pool in self.pools._pools],
            sorted((owner, len(commit.to_carry), len(commit.revocations))
                   for owner, commit in engine._underway._newest.items()),
            engine.next_deadline(),
            engine.unsettled(),
        )  # fmt: skip


def _within(pool: AddressPool) -> list[Ipv4]:
    return [Ipv4(pool.link.prefix.network + offset) for offset in range(8)]


def _plain(bound: Binding) -> tuple[object, ...]:
    return (
        bound_record(bound), bound.entry, bound.association, bound.moved_at, bound.revocation,
        [(one.nai, one.place, one.source, one.lifetime, one.terms.access_technology, one.terms.identifiers,
          one.terms.host_configuration, one.terms.udp_reply, one.terms.flags, one.revocation) for one in bound.all],
    )  # fmt: skip
