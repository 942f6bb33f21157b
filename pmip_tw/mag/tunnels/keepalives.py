"""Keepalives on UDP tunnels: NATs keep their mappings, and one that was lost is noticed (N37-N43, N59).

One is sent when nothing was sent to the LMA for an interval, whoever's it was; and at once when a node has sent and got
nothing for some seconds. Without an answer to several the mapping is lost: the LMA sends to a port that is nobody's,
and takes nothing from the one that the NAT has given us instead. It learns that one from registrations only (N21, N29),
and from each for its own node, so that all are registered anew, but those that were since the first keepalive.
"""

from collections.abc import Callable

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.mag.tunnels.mappings import Mapping
from pmip_tw.mag.tunnels.turns import Turns
from pmip_tw.mag.tunnels.watched import LONG_AGO, NEVER, Asked, Path, Watched
from pmip_tw.mobility.timers import Wheel
from pmip_tw.mobility.tunnels import AccessKey, Activity, Tunnel

SHORTEST = 10.0
"""Seconds; no interval is shorter, whatever an LMA says and however often a mapping was lost (N39, N41)."""

TRIES = 3
RETRY = 2.0
"""Seconds between tries after an idle time (N40)."""

SILENCE = 5.0
"""Seconds for which a node has sent and got nothing, when the tunnel is asked (N59)."""

RETRY_IN_SILENCE = 1.0
CALM = 1.0
"""Seconds between an answer and the next question of that kind: nodes that only ever send are many, perhaps."""

SETTLING = 2.0
"""Seconds after the last registration anew for which nobody wonders about silence."""

MAX_SLOWER = 5
"""So many times that is doubled, from 10 s, while no keepalive is answered: some LMAs answer no echo.

Whatever else comes back says nothing: it is for nodes that are on a mapping already.
"""

_GRANULARITY = 1 / 64
_MOST_MEASURED = 256


@attrs.frozen(slots=True)
class Probe:
    """Send a keepalive through the tunnel of ``key``."""

    key: AccessKey


@attrs.frozen(slots=True)
class Lost:
    """No keepalive was answered: ``nodes`` are to be registered anew, spread over ``seconds`` at least."""

    tunnel: Tunnel
    nodes: list[AccessKey]
    seconds: float
    interval: float


@attrs.frozen(slots=True, kw_only=True)
class PathReport:
    """For operators: seconds. ``told``: what the LMA asked for, ``interval``: what is used; ``lost``: mappings."""

    told: float
    interval: float
    lost: int
    mapping: Mapping


class Keepalives:
    """``uses(key)``: a node's tunnel, None if it has none. ``asked_at(lma)``: when a request went there last.

    ``per_binding``: each node has a keepalive timer of its own, besides the tunnel's look at silence (N42).
    """

    def __init__(
        self,
        own_interval: float,
        *,
        per_binding: bool,
        uses: Callable[[AccessKey], Tunnel | None],
        asked_at: Callable[[Ipv4], float],
    ) -> None:
        self._own_interval = own_interval
        self._per_binding = per_binding
        self._uses = uses
        self._asked_at = asked_at
        self._watched: dict[Path, Watched] = {}
        self._mappings: dict[Tunnel, Mapping] = {}
        self._deadlines: Wheel[Path] = Wheel(_GRANULARITY, self._deadline)

    def watch(self, key: AccessKey, tunnel: Tunnel, asked_for: int, monotonic: float) -> bool:
        """``key`` has been registered, and goes through ``tunnel``, over UDP; ``asked_for``: the LMA's interval (44).

        False: that is shorter than allowed, and was not told before.
        """
        told = max(float(asked_for or self._own_interval), SHORTEST)
        paths: list[Path] = [(tunnel.path, None)]
        if self._per_binding:
            paths.append((tunnel.path, key))
        for path in paths:
            watched = self._watched.get(path)
            if watched is None:
                watched = self._begin(path, key, told, monotonic)
            elif watched.told != told:
                watched.told = watched.interval = told
            watched.newest = key
            watched.turns.add(key, monotonic)
            watched.sent = monotonic
            look = monotonic + _next_look(path, told)
            if watched.lost_in_a_row and watched.try_at == NEVER:
                look = watched.try_at = monotonic
            self._file(path, min(watched.due, look))
        shared = self._watched[tunnel.path, None]
        if not self._per_binding and shared.asked_at + shared.interval <= monotonic:
            # It went through the NAT for its own node only: another one is asked whether it is still there (N43).
            shared.proves = True
            self._file((tunnel.path, None), monotonic)
        if shared.ended_after is not None:
            self._mapping(tunnel.path).ended(shared.ended_after)
            shared.ended_after = None
        return not 0 < asked_for < SHORTEST

    def came_back(self, key: AccessKey, tunnel: Tunnel, asked_for: int, monotonic: float) -> None:
        """As ``watch``, of a node that was registered by a former process: nobody knows what the NAT still has."""
        self.watch(key, tunnel, asked_for, monotonic)
        for path, watched in self._of(key, tunnel):
            watched.sent = LONG_AGO
            self._file(path, monotonic)

    def forget(self) -> None:
        """Our own address is another one, so that no tunnel is what it was."""
        self._watched.clear()

    def answered(self, key: AccessKey, monotonic: float) -> None:
        """A keepalive in the name of ``key`` was."""
        tunnel = self._uses(key)
        if tunnel is None:
            return
        for path, watched in self._of(key, tunnel):
            asked = watched.asked
            watched.heard = monotonic
            watched.lost_in_a_row = 0
            watched.trusted_until = max(watched.settled, monotonic + CALM)
            if asked is not None and asked.key == key:
                if asked.idle is not None:
                    self._mapping(tunnel.path).lived(asked.idle)
                watched.asked = None
            if watched.asked is None:
                self._file(path, monotonic + CALM)

    def due(self, monotonic: float) -> list[Path]:
        """Of which paths to ask the packet plane now; the answers are for ``judge``."""
        paths = self._deadlines.due(monotonic)
        for path in paths:
            self._file(path, monotonic + SHORTEST)  # should nobody answer
        return paths

    def judge(self, path: Path, activity: Activity, monotonic: float) -> Probe | Lost | None:
        """The packet plane says what went through ``path``."""
        watched = self._watched.get(path)
        if watched is None:
            return None
        asked = watched.asked
        if asked is not None and _is_moot(asked, watched, activity):
            watched.asked = asked = None
        if asked is None:
            asked = self._question(path, watched, activity, monotonic)
            if asked is None:
                return None
            if monotonic >= watched.trusted_until:
                watched.asked = asked
        elif asked.tries == TRIES:
            return self._lost(path, watched, asked, monotonic)
        asked.tries += 1
        watched.sent = monotonic
        if asked.apart == RETRY:
            watched.asked_at = monotonic
        self._file(path, monotonic + (asked.apart if watched.asked else _next_look(path, watched.interval)))
        return Probe(asked.key)

    def lost_until(self, lost: Lost, monotonic: float) -> None:
        """The last of its nodes is registered anew at that instant."""
        for key in {None, *(lost.nodes if self._per_binding else ())}:
            watched = self._watched.get((lost.tunnel, key))
            if watched is not None and watched.lost_in_a_row:
                slower = SHORTEST * 2 ** min(watched.lost_in_a_row - 1, MAX_SLOWER)
                patience = slower if watched.lost_in_a_row > 1 else 0.0
                watched.settled = monotonic + SETTLING
                watched.trusted_until = watched.settled + patience
                watched.proves = True

    def report(self, tunnel: Tunnel) -> PathReport | None:
        """What is known of the path of ``tunnel``; None if nothing is."""
        watched = self._watched.get((tunnel.path, None))
        if watched is None:
            return None
        return PathReport(
            told=watched.told,
            interval=watched.interval,
            lost=watched.lost,
            mapping=attrs.evolve(self._mapping(tunnel.path)),
        )

    def next_deadline(self) -> float | None:
        return self._deadlines.next_deadline()

    def _begin(self, path: Path, key: AccessKey, told: float, monotonic: float) -> Watched:
        def uses(key: AccessKey) -> bool:
            tunnel = self._uses(key)
            return tunnel is not None and tunnel.path == path[0]

        watched = self._watched[path] = Watched(
            turns=Turns(uses),
            told=told,
            interval=told,
            due=monotonic + _next_look(path, told),
            sent=monotonic,
            asked_at=monotonic,
            newest=key,
        )
        return watched

    def _question(self, path: Path, watched: Watched, activity: Activity, monotonic: float) -> Asked | None:
        """What is to be asked now; None: nothing, and it was filed when to look again."""
        tunnel, only = path
        sent = max(watched.sent, activity.sent or LONG_AGO)
        if only is None:
            sent = max(sent, self._asked_at(tunnel.remote))
        times_out = only is not None or not self._per_binding
        looks = [monotonic + _next_look(path, watched.interval)]
        waiting = None if only else activity.waiting
        if waiting is not None:
            suspect_at = max(activity.waiting_since + SILENCE, watched.trusted_until)
            if suspect_at <= monotonic and watched.turns.has(waiting):
                return Asked(waiting, monotonic, None, RETRY_IN_SILENCE)
            if suspect_at > monotonic:
                looks.append(suspect_at)
        proof = _proof(watched, monotonic)
        if proof is not None:
            return proof
        if watched.proves:
            looks += [watched.trusted_until, watched.try_at]
        if times_out:
            looks.append(sent + watched.interval)
        if not times_out or sent + watched.interval <= monotonic:
            key = watched.turns.next()
            if key is None:
                del self._watched[path]
                return None
            if times_out:
                idle = monotonic - max(sent, activity.heard, watched.heard)
                return Asked(key, monotonic, None if sent == LONG_AGO else idle, RETRY)
        self._file(path, min(looks))
        return None

    def _lost(self, path: Path, watched: Watched, asked: Asked, monotonic: float) -> Lost:
        watched.asked, watched.try_at = None, NEVER
        watched.lost += 1
        watched.lost_in_a_row += 1
        watched.ended_after = asked.idle if watched.lost_in_a_row == 1 else None
        watched.interval = max(SHORTEST, watched.interval / 2)  # N41
        self._file(path, monotonic + SILENCE)
        nodes = watched.turns.registered_before(asked.since)
        # Healed within 10 s where there is traffic (N59); else the LMA's other MAGs may be lost as well (N40).
        seconds = 1.0 if asked.apart == RETRY_IN_SILENCE else 5.0
        return Lost(path[0], nodes, seconds, watched.interval)

    def _of(self, key: AccessKey, tunnel: Tunnel) -> list[tuple[Path, Watched]]:
        paths: list[Path] = [(tunnel.path, None), (tunnel.path, key)]
        return [(path, self._watched[path]) for path in paths if path in self._watched]

    def _mapping(self, tunnel: Tunnel) -> Mapping:
        if tunnel not in self._mappings and len(self._mappings) >= _MOST_MEASURED:
            self._mappings.clear()
        return self._mappings.setdefault(tunnel, Mapping())

    def _file(self, path: Path, due: float) -> None:
        self._watched[path].due = due
        self._deadlines.file(path, due)

    def _deadline(self, path: Path) -> float | None:
        watched = self._watched.get(path)
        return None if watched is None else watched.due


def _is_moot(asked: Asked, watched: Watched, activity: Activity) -> bool:
    """Whether its node has left meanwhile, was registered anew, or has got what it was waiting for."""
    if not watched.turns.had_before(asked.key, asked.since):
        return True
    waits_still = activity.waiting == asked.key and activity.waiting_since < asked.since
    return asked.apart == RETRY_IN_SILENCE and not waits_still


def _proof(watched: Watched, monotonic: float) -> Asked | None:
    """What is asked because a mapping was lost, or only registrations were seen since a while."""
    if not watched.proves:
        return None
    whom: AccessKey | None = None
    if watched.trusted_until <= monotonic:
        watched.proves = False
        whom = watched.turns.next(before=monotonic)
    elif watched.try_at <= monotonic:
        watched.try_at = monotonic + SHORTEST
        whom = watched.newest if watched.turns.has(watched.newest) else None
    return None if whom is None else Asked(whom, monotonic, None, RETRY)


def _next_look(path: Path, interval: float) -> float:
    """Seconds: who begins to wait for an answer now is noticed in time, where that is looked at."""
    return min(interval, SILENCE) if path[1] is None else interval
