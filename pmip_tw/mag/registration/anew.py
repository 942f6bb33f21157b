"""Registering many visitors anew: their tunnel is silent, or our own address is another one (N40, P81, P82)."""

from collections.abc import Callable

from pmip_tw.addresses import Ipv4
from pmip_tw.mag import observed
from pmip_tw.mag.effects import AskActivity, Keepalive, MagEffect
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.registration.care_of import CareOf
from pmip_tw.mag.registration.lmas import Lmas
from pmip_tw.mag.registration.registering import Registrations
from pmip_tw.mag.registration.spreading import spread
from pmip_tw.mag.tunnels.keepalives import Keepalives, Lost, Probe
from pmip_tw.mag.tunnels.liveness import Liveness
from pmip_tw.mag.visitors import State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AccessKey, Activity, Tunnel

_WITH_LMA = (State.REGISTERING, State.REGISTERED)


class Anew:
    """Tunnels through UDP always have keepalives, others where they are wished for.

    ``schedule``: to be called with every visitor for which another instant counts now.
    """

    def __init__(
        self,
        policy: MagPolicy,
        care_of: CareOf,
        visitors: VisitorList,
        lmas: Lmas,
        registrations: Registrations,
        schedule: Callable[[Visitor], None],
    ) -> None:
        self._care_of = care_of
        self._visitors = visitors
        self._registrations = registrations
        self._schedule = schedule
        self._liveness = Liveness(policy.liveness_interval, self._tunnel_of)
        self._watches = policy.liveness
        self.keepalives = Keepalives(
            policy.keepalive_interval,
            per_binding=policy.keepalive_scope == "binding",
            uses=self._tunnel_of,
            asked_at=lmas.asked_at,
        )

    def registered(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        """``visitor`` may have a tunnel that it had not before, or a new grant of the same."""
        grant, tunnel = visitor.grant, visitor.tunnel
        if grant is None or tunnel is None:
            return []
        if not tunnel.over_udp:
            if self._watches:
                self._liveness.watch(visitor.key, tunnel, now.monotonic)
        elif grant.accepted_at == now.monotonic and not self.keepalives.watch(
            visitor.key, tunnel, grant.keepalive_interval, now.monotonic
        ):
            return [observed.keepalives_too_often(tunnel, grant.keepalive_interval)]
        return []

    def came_back(self, visitor: Visitor, now: Now) -> None:
        """``visitor`` was registered by a former process."""
        assert visitor.grant is not None and visitor.tunnel is not None
        if visitor.tunnel.over_udp:
            asked_for = visitor.grant.keepalive_interval
            self.keepalives.came_back(visitor.key, visitor.tunnel, asked_for, now.monotonic)
        else:
            self.registered(visitor, now)

    def answered(self, key: AccessKey, now: Now) -> None:
        """A keepalive through the tunnel of ``key`` was."""
        self._liveness.answered(key, now.monotonic)
        self.keepalives.answered(key, now.monotonic)

    def address_changed(self, address: Ipv4, now: Now) -> list[MagEffect]:
        """The care-of address is ``address`` from now on."""
        if address == self._care_of.address:
            return []
        effects: list[MagEffect] = [observed.address_changed(self._care_of.address, address)]
        self._care_of.address = address
        self.keepalives.forget()
        affected = [visitor for visitor in self._visitors if visitor.state in _WITH_LMA]
        for visitor, instant in zip(affected, spread(len(affected), now), strict=True):
            effects += self._registrations.moved(visitor, instant)
            self._schedule(visitor)
        return effects

    def pulse(self, now: Now) -> list[MagEffect]:
        """Keepalives that are due. The nodes of a silent tunnel go on to another LMA if theirs is silent, too."""
        pulse = self._liveness.due(now.monotonic)
        effects: list[MagEffect] = [Keepalive(key) for key in pulse.keepalives]
        effects += [AskActivity(*path) for path in self.keepalives.due(now.monotonic)]
        for tunnel, nodes in pulse.lost:
            effects.append(observed.tunnel_silent(tunnel, len(nodes)))
            self._lost(nodes, now)
        return effects

    def activity(self, asked: AskActivity, activity: Activity, now: Now) -> list[MagEffect]:
        """What the packet plane says of a path."""
        found = self.keepalives.judge((asked.tunnel, asked.key), activity, now.monotonic)
        if isinstance(found, Probe):
            return [Keepalive(found.key)]
        if isinstance(found, Lost):
            last = self._lost(found.nodes, now, found.seconds)
            self.keepalives.lost_until(found, last)
            return [observed.mapping_lost(found.tunnel, len(found.nodes), found.interval)]
        return []

    def next_deadline(self) -> float | None:
        deadlines = (self._liveness.next_deadline(), self.keepalives.next_deadline())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def _lost(self, nodes: list[AccessKey], now: Now, *seconds: float) -> float:
        """``nodes`` are registered anew, the last of them at the instant that comes back."""
        last = now.monotonic
        for key, instant in zip(nodes, spread(len(nodes), now, *seconds), strict=True):
            visitor = self._visitors.get(key)
            assert visitor is not None
            self._registrations.lost(visitor, instant)
            self._schedule(visitor)
            last = instant
        return last

    def _tunnel_of(self, key: AccessKey) -> Tunnel | None:
        visitor = self._visitors.get(key)
        return None if visitor is None or visitor.grant is None else visitor.tunnel
