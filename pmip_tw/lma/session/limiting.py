"""Sessions that AAA has limited end by themselves: Session-Timeout, Idle-Timeout (RFC 2865 5.27, 5.28, AA25)."""

from collections.abc import Iterator
from functools import partial

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.lma.bindings import BindingTable
from pmip_tw.lma.ending import Ending
from pmip_tw.lma.registration.commitment import AskTraffic, Effect
from pmip_tw.lma.registration.underway import Underway
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.due import PUT_OFF, Due

LATER = 1.0
"""Seconds until who has something on its way is looked at again."""


@attrs.frozen(eq=False, repr=False)
class Limiting:
    """Their MAGs are told by a revocation. ``sees_traffic``: see LmaPolicy."""

    _sees_traffic: bool
    _bindings: BindingTable
    _underway: Underway
    _ending: Ending

    def wake(self, now: Now) -> Iterator[Due[Effect]]:
        """Whose time is over, and whose silence may be."""
        limited = self._bindings.limited
        for owner in limited.due(now.monotonic):
            put_off = partial(limited.look_again, owner, now.monotonic + PUT_OFF)
            yield Due(owner, partial(self._due, owner, now), put_off)

    def _due(self, owner: bytes, now: Now) -> list[Effect]:
        """Nothing is made of what was restored and waits, unless it ends."""
        key, limits = self._bindings.key(owner), self._bindings.limits(owner)
        if key is None or limits is None:
            return []
        if limits.session_ends is not None and limits.session_ends <= now.monotonic:
            bound = self._bindings.get(owner)
            assert bound is not None
            why = "the time that AAA has given it is over"
            return self._ending.end(bound, now, TerminateCause.SESSION_TIMEOUT, inform=True, why=why)
        if owner in self._underway:
            self._bindings.limited.look_again(owner, now.monotonic + LATER)
        elif self._sees_traffic:
            return [AskTraffic(key, owner)]
        return []

    def traffic(self, asked: AskTraffic, moved: int, now: Now) -> list[Effect]:
        """The packet plane's answer: packets in both directions since it has the entry."""
        since = self._bindings.limited.is_silent(asked.owner, moved, now.monotonic)
        bound = None if since is None else self._bindings.get(asked.owner)
        if since is None or bound is None:
            return []
        why = f"idle for {now.monotonic - since:.0f} s, longer than AAA allows"
        return self._ending.end(bound, now, TerminateCause.IDLE_TIMEOUT, inform=True, why=why)
