"""The 802.1X conversations of a MAG, within bounds: a flood on a port harms nobody who is served, and no other port.

Whoever begins when a port has as many as it may takes the place of another: of the one that has waited longest among
those who never answered or were refused, else of the oldest. An honest conversation is over before its turn comes.
"""

from collections import OrderedDict
from collections.abc import Iterator

import attrs

from pmip_tw.access.authenticator import Authenticator, EapTimes, Phase
from pmip_tw.mag.authentication.access_policy import AccessPolicy, PortAuthentication
from pmip_tw.mag.authentication.pace import Pace
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.due import PUT_OFF
from pmip_tw.mobility.timers import Wheel
from pmip_tw.mobility.tunnels import AccessKey

_GRANULARITY = 1 / 64


class _Port:
    """``strangers``: who is examined here and not served, in the order in which they began; ``patient``: those among
    them whose place others may have. ``pace``: of their beginnings, and ``reserved``: for those among them who have
    been visitors; ``wishes``: of examinations for which served nodes ask.
    """

    __slots__ = ("pace", "patient", "reserved", "strangers", "times", "wishes")

    def __init__(self, times: EapTimes, max_new: int) -> None:
        self.times = times
        some = max(1, max_new // 2)
        self.pace = Pace(max_new, max_new)
        self.reserved = Pace(some, some)
        self.wishes = Pace(max_new / 10, some)
        self.strangers: OrderedDict[AccessKey, None] = OrderedDict()
        self.patient: OrderedDict[AccessKey, None] = OrderedDict()


class Conversations:
    """Machines by access session; each is forgotten as soon as there is nothing to be remembered."""

    def __init__(self, access: AccessPolicy) -> None:
        self._most = access.dot1x.max_conversations
        self._machines: dict[AccessKey, Authenticator] = {}
        self._ports = {
            name: _Port(_times(access, authentication), access.dot1x.max_new)
            for name, authentication in access.ports.items()
            if authentication.by_eap
        }
        self._deadlines: Wheel[AccessKey] = Wheel(_GRANULARITY, self._deadline)

    def __len__(self) -> int:
        return len(self._machines)

    def get(self, key: AccessKey) -> Authenticator | None:
        return self._machines.get(key)

    def others_on_port(self, key: AccessKey) -> int:
        """How many strangers are examined there besides ``key``."""
        strangers = self._ports[key.port].strangers
        return len(strangers) - (key in strangers)

    def may_begin(self, port: str, monotonic: float, *, known: bool) -> bool:
        """Whether a stranger may there, so soon after others; ``known``: it has been a visitor."""
        of = self._ports[port]
        return of.pace.allows(monotonic) or (known and of.reserved.allows(monotonic))

    def may_wish(self, port: str, monotonic: float) -> bool:
        """Whether a served node there may ask to be examined: its MAC is known to whoever is on the link."""
        return self._ports[port].wishes.allows(monotonic)

    def wished(self, port: str, monotonic: float) -> None:
        """It has."""
        self._ports[port].wishes.spend(monotonic)

    def of_stranger(self, key: AccessKey, now: Now, *, known: bool) -> tuple[Authenticator, AccessKey | None]:
        """One for a node that is not served, and whose was given up for it."""
        port = self._ports[key.port]
        reserved = known and port.reserved.allows(now.monotonic)
        (port.reserved if reserved else port.pace).spend(now.monotonic)
        if key in self._machines:
            self._forget(key)
        gone = None
        if len(port.strangers) >= self._most:
            gone = next(iter(port.patient or port.strangers))
            self._forget(gone)
        port.strangers[key] = None
        return self._new(key, now, authenticated=False), gone

    def of_served(self, key: AccessKey, now: Now, *, authenticated: bool) -> Authenticator:
        """One for a visitor: nobody can bring in many of those."""
        return self._new(key, now, authenticated=authenticated)

    def changed(self, key: AccessKey) -> None:
        """To be called whenever something was done to the machine of ``key``."""
        machine = self._machines.get(key)
        if machine is None:
            return
        if machine.deadline is None:
            self._forget(key)
            return
        self._deadlines.file(key, machine.deadline)
        port = self._ports[key.port]
        if key in port.strangers:
            if machine.phase is Phase.HELD or not machine.answered:
                port.patient[key] = None
            else:
                port.patient.pop(key, None)

    def due(self, monotonic: float) -> Iterator[tuple[AccessKey, Authenticator]]:
        """To each of them time has come, if it is still there when it has its turn."""
        for key in self._deadlines.due(monotonic):
            machine = self._machines.get(key)
            if machine is not None:
                yield key, machine

    def put_off(self, key: AccessKey, monotonic: float) -> None:
        """What is due for it now cannot be done: it comes due again in a while."""
        self._deadlines.file(key, monotonic + PUT_OFF)

    def next_deadline(self) -> float | None:
        return self._deadlines.next_deadline()

    def _new(self, key: AccessKey, now: Now, *, authenticated: bool) -> Authenticator:
        times = self._ports[key.port].times
        machine = Authenticator(times, now.entropy(1)[0], authenticated=authenticated)
        self._machines[key] = machine
        return machine

    def _forget(self, key: AccessKey) -> None:
        del self._machines[key]
        port = self._ports[key.port]
        port.strangers.pop(key, None)
        port.patient.pop(key, None)

    def _deadline(self, key: AccessKey) -> float | None:
        machine = self._machines.get(key)
        return None if machine is None else machine.deadline


def _times(access: AccessPolicy, authentication: PortAuthentication) -> EapTimes:
    otherwise = authentication is PortAuthentication.DOT1X_OR_MAC
    return attrs.evolve(access.dot1x.times, patience=access.dot1x.mac_after if otherwise else None)
