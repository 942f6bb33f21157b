"""Keys between an LMA and foreign agents that AAA has: those that follow from a root key, HA-RK (AA13), and those that
it brings with a registration of a node there (RFC 4004 8).
"""

from collections import OrderedDict
from math import inf

from msgspec import Struct

from pmip_tw.aaa.key_hierarchy import fa_ha
from pmip_tw.aaa.node_keys import HaRootKey
from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.timers import Wheel
from pmip_tw.secret import Secret

MOST_DERIVED = 10_000
"""Associations with foreign agents that are kept, of either kind."""

RENEW_AT = 0.9
"""Of its lifetime, after which a root key is asked for again."""


class _Root(Struct, frozen=True, gc=False):
    key: Secret
    renew_at: float
    until: float


class RootKeys:
    """Each is valid until it expires, whatever others come (AA13). ``home_agent``: our address."""

    def __init__(self, home_agent: Ipv4) -> None:
        self._home_agent = home_agent
        self._roots: dict[int, _Root] = {}
        self._derived: OrderedDict[tuple[int, Ipv4], SecurityAssociation] = OrderedDict()
        self._brought: OrderedDict[tuple[int, Ipv4], tuple[SecurityAssociation, float]] = OrderedDict()
        """With the instant until which it is valid."""
        # There may be thousands, and whoever renews a binding waits while it is found out when to wake up.
        self._ends: Wheel[tuple[int, Ipv4]] = Wheel(1.0, self._end_of)
        self.is_lacking = True
        """Whether AAA is to be asked for one."""
        self._looked_at = float("-inf")

    def put(self, given: HaRootKey, monotonic: float) -> None:
        """Another key under the same SPI takes the place of the former one."""
        former = self._roots.get(given.spi)
        if former is not None and former.key != given.key:
            self._forget(given.spi)
        renew_at = monotonic + RENEW_AT * given.lifetime
        self._roots[given.spi] = _Root(given.key, renew_at, monotonic + given.lifetime)
        self.wake(monotonic)

    def association(self, spi: int, care_of_address: Ipv4) -> SecurityAssociation | None:
        """For FA-HA with the agent there; None: AAA has brought none, and no root key has that SPI."""
        brought = self._brought.get((spi, care_of_address))
        if brought is not None:
            return brought[0]
        root = self._roots.get(spi)
        if root is None:
            return None
        found = self._derived.get((spi, care_of_address))
        if found is None:
            key = fa_ha(root.key, self._home_agent, care_of_address, spi)
            found = self._derived[spi, care_of_address] = SecurityAssociation(spi, key)
            if len(self._derived) > MOST_DERIVED:
                self._derived.popitem(last=False)
        return found

    def bring(self, agent: Ipv4, association: SecurityAssociation, until: float) -> SecurityAssociation:
        """One with the agent there, beside its others, which end in their own time; it goes on if it is the same."""
        name = association.spi, agent
        former = self._brought.pop(name, None)
        if former is not None:
            if former[0] == association:
                association = former[0]
            else:
                former[0].retire()
        self._brought[name] = association, until
        if until != inf and (former is None or until < former[1]):
            self._ends.file(name, until)
        if len(self._brought) > MOST_DERIVED:
            self._brought.popitem(last=False)[1][0].retire()
        return association

    def wake(self, monotonic: float) -> None:
        for name in self._ends.due(monotonic):
            self._brought.pop(name)[0].retire()
        for spi in [spi for spi, root in self._roots.items() if root.until <= monotonic]:
            self._forget(spi)
        self._looked_at = monotonic
        self.is_lacking = not any(root.renew_at > monotonic for root in self._roots.values())

    def next_deadline(self) -> float | None:
        """Whichever comes first: one is to be asked for again, or is over."""
        ahead = [at for root in self._roots.values() for at in (root.renew_at, root.until)]
        found = min((at for at in ahead if at > self._looked_at), default=None)
        ends = self._ends.next_deadline()
        return found if ends is None or (found is not None and found < ends) else ends

    def _end_of(self, name: tuple[int, Ipv4]) -> float | None:
        _, until = self._brought.get(name, (None, inf))
        return None if until == inf else until

    def _forget(self, spi: int) -> None:
        del self._roots[spi]
        for name in [name for name in self._derived if name[0] == spi]:
            self._derived.pop(name).retire()
