"""What AAA lets a node have, with its key or by a CoA: the newest counts, and what is not said stays (AA18, AA25)."""

from collections.abc import Mapping

import attrs

from pmip_tw.aaa.node_keys import NOTHING_SAID
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.keys.asking import Keys
from pmip_tw.lma.keys.fetched import Leave
from pmip_tw.lma.registration.commitment import Asked
from pmip_tw.lma.session.limits import UNLIMITED
from pmip_tw.mobility.packet_filters import PacketFilter, PacketFilters, chosen


@attrs.frozen(eq=False, repr=False)
class Allowing:
    """``filters``: by the name that AAA uses; ``keys``: what it has said with them, if it is asked."""

    _filters: Mapping[str, PacketFilter]
    _keys: Keys | None

    def leave(self, asked: Asked) -> Leave | None:
        """What AAA has said about whom ``asked`` is proven to be about; None: nothing."""
        if self._keys is None or asked.association is None:
            return None
        return self._keys.fetched.leave((asked.nai, asked.association.spi))

    def allow(self, new: Binding, bound: Binding | None, leave: Leave | None) -> Binding:
        """``new`` in place of ``bound``, with what it may have.

        What we ask again because of a restart changes no session: AAA may have changed it since by a CoA.
        """
        filters: PacketFilters = ()
        limits = None
        if bound is not None:
            filters, limits = bound.filters, bound.terms.limits
        allowed = NOTHING_SAID if leave is None else leave.allowed
        if (
            leave is not None
            and allowed.is_about_sessions
            and (limits is None or (leave.said_at > limits.said_at and not leave.again))
        ):
            if allowed.filter_ids is not None:
                filters, _ = chosen(self._filters, allowed.filter_ids)
            limits = (limits or UNLIMITED).changed(
                leave.said_at, allowed.session_timeout, allowed.idle_timeout, allowed.interim_interval
            )
        return new.allowed(filters, limits)
