"""Requests that have come through us before: whoever sends them on to us again would do so for ever (RFC 2865 2.3)."""

from pmip_tw.aaa.proxy import told
from pmip_tw.addresses import Endpoint
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import ObserveAlike
from pmip_tw.wire.radius import AttributeType, ReceivedRequest

_MARK_SIZE = 8


class Loops:
    """Our Proxy-State, by which we know what has been here. ``nas_identifier``: ours, empty if we have none."""

    def __init__(self, nas_identifier: str, now: Now) -> None:
        self._name = nas_identifier.encode()
        self._mark = now.entropy(_MARK_SIZE)

    def mark(self, number: int) -> bytes:
        """The Proxy-State of our request of that ``number``."""
        return self._mark + number.to_bytes(8, "big")

    def refusal(self, source: Endpoint, request: ReceivedRequest) -> ObserveAlike | None:
        """Why ``request`` goes in circles, if it does."""
        states = request.attributes.all(AttributeType.PROXY_STATE)
        if any(state.startswith(self._mark) for state in states):
            cause = "it has our own Proxy-State: the servers of [mag.radius] send on to this MAG what it asks them"
            return told.discarded("loop", source, cause)
        if self._name and self._name in request.attributes.all(AttributeType.NAS_IDENTIFIER):
            cause = (
                "it has the NAS-Identifier of this MAG: either it is our own request, or the access point needs a name"
                " of its own"
            )
            return told.discarded("loop", source, cause)
        return None
