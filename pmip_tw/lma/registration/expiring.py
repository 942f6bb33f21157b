"""How bindings end whose lifetime is over: in silence (RFC 5944 3.8.1)."""

from collections.abc import Iterator
from functools import partial

import attrs

from pmip_tw.lma import observed
from pmip_tw.lma.bindings import Binding, BindingTable
from pmip_tw.lma.registration.commitment import Effect
from pmip_tw.lma.registration.registrations import Registrations
from pmip_tw.lma.registration.underway import Underway, changes
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.due import PUT_OFF, Due
from pmip_tw.mobility.effects import Remove
from pmip_tw.mobility.replay import ReplayFloors

_NOT_BEFORE = 1.0
"""Seconds for which a binding is left alone of which something is not durable yet."""


@attrs.frozen(eq=False, repr=False)
class Expiring:
    """An owner's other bindings, whose lifetime is not over, stay (L6)."""

    _registrations: Registrations
    _bindings: BindingTable
    _underway: Underway
    _floors: ReplayFloors

    def due(self, now: Now) -> Iterator[Due[Effect]]:
        """Some of those whose lifetime is over; then all that ended are told in one go."""
        ended: list[Binding] = []
        for bound in self._bindings.expired(now.monotonic):
            put_off = partial(self._bindings.look_again, bound.owner, now.monotonic + PUT_OFF)
            yield Due(bound.nai, partial(self._end, bound, ended, now), put_off)
        if ended:
            yield Due("whoever has to know of ends", lambda: [observed.expired(ended)])

    def _end(self, bound: Binding, ended: list[Binding], now: Now) -> list[Effect]:
        """What is over of ``bound`` is among the ``ended`` then."""
        if bound.owner in self._underway:
            # What follows may fail, and must find what it began with.
            self._bindings.look_again(bound.owner, now.monotonic + _NOT_BEFORE)
            return []
        self._floors.note(bound.owner, bound.identification, now.monotonic)
        if bound.others:
            left = tuple(one for one in bound.all if one.deadline > now.monotonic)
            effects: list[Effect] = [*changes(bound, self._registrations.leave(bound, left, now))]
            ended += (one for one in bound.all if one.deadline <= now.monotonic)
            return effects
        self._registrations.leave(bound, (), now)
        ended.append(bound)
        return [Remove(bound.key)]
