"""Registering many visitors anew: their tunnel is silent, or our own address is another one (P81, P82)."""

from collections.abc import Callable

from pmip_tw.addresses import Ipv4
from pmip_tw.mag import observed
from pmip_tw.mag.care_of import CareOf
from pmip_tw.mag.effects import Keepalive, MagEffect
from pmip_tw.mag.liveness import Liveness
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.registering import Registrations
from pmip_tw.mag.spreading import spread
from pmip_tw.mag.visitors import State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AccessKey, Tunnel

_WITH_LMA = (State.REGISTERING, State.REGISTERED)


class Anew:
    """``schedule``: to be called with every visitor for which another instant counts now."""

    def __init__(
        self,
        policy: MagPolicy,
        care_of: CareOf,
        visitors: VisitorList,
        registrations: Registrations,
        schedule: Callable[[Visitor], None],
    ) -> None:
        self._care_of = care_of
        self._visitors = visitors
        self._registrations = registrations
        self._schedule = schedule
        self.liveness = Liveness(policy.liveness_interval, self._tunnel_of)
        self._watches = policy.liveness

    def registered(self, visitor: Visitor, now: Now) -> None:
        """``visitor`` may have a tunnel that it had not before."""
        if self._watches and visitor.grant is not None and visitor.tunnel is not None:
            self.liveness.watch(visitor.key, visitor.tunnel, now.monotonic)

    def address_changed(self, address: Ipv4, now: Now) -> list[MagEffect]:
        """The care-of address is ``address`` from now on."""
        if address == self._care_of.address:
            return []
        effects: list[MagEffect] = [observed.address_changed(self._care_of.address, address)]
        self._care_of.address = address
        affected = [visitor for visitor in self._visitors if visitor.state in _WITH_LMA]
        for visitor, instant in zip(affected, spread(len(affected), now), strict=True):
            effects += self._registrations.moved(visitor, instant)
            self._schedule(visitor)
        return effects

    def pulse(self, now: Now) -> list[MagEffect]:
        """Keepalives that are due. The nodes of a silent tunnel go on to another LMA if theirs is silent, too."""
        pulse = self.liveness.due(now.monotonic)
        effects: list[MagEffect] = [Keepalive(key) for key in pulse.keepalives]
        for tunnel, nodes in pulse.lost:
            effects.append(observed.tunnel_silent(tunnel, len(nodes)))
            for key, instant in zip(nodes, spread(len(nodes), now), strict=True):
                visitor = self._visitors.get(key)
                assert visitor is not None
                self._registrations.lost(visitor, instant)
                self._schedule(visitor)
        return effects

    def _tunnel_of(self, key: AccessKey) -> Tunnel | None:
        visitor = self._visitors.get(key)
        return None if visitor is None or visitor.grant is None else visitor.tunnel
