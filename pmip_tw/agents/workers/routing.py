"""Which worker a datagram is for: worker 0 gets what the kernel cannot tell, and passes it on."""

from collections.abc import Callable, Sequence

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import WireError
from pmip_tw.interfaces import Datagram
from pmip_tw.lma.mags import KnownMags
from pmip_tw.lma.workers.slices import HEADER, NAI, PRE_TUNNEL, PRE_TUNNEL_HEADER, worker_of_nai
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.pretunnel import PreTunnelRequest
from pmip_tw.wire.registration import RegistrationRequest
from pmip_tw.wire.revocation import Revocation, RevocationAck

_REQUEST = int(MessageType.REGISTRATION_REQUEST)
_REVOCATION = int(MessageType.REVOCATION)
_REVOCATION_ACK = int(MessageType.REVOCATION_ACK)

Holders = Callable[[Ipv4], Sequence[int]]
"""Which workers may have given a home address to a node; several if address spaces overlap, the likeliest first."""


class Routing:
    """``address``: our own; what was sent to another, a broadcast, was not steered. ``mags``: who writes how.
    ``pre_tunnel``: the message type of requests for one.
    """

    def __init__(
        self,
        workers: int,
        address: Ipv4,
        mags: KnownMags | None,
        holders: Holders,
        pre_tunnel: int = PRE_TUNNEL,
    ) -> None:
        self._workers = workers
        self._address = address
        self._mags = mags
        self._holders = holders
        self._pre_tunnel = pre_tunnel

    def worker_for(self, datagram: Datagram) -> int:
        """0 for whatever is no node's, or cannot be read: worker 0 tells of it."""
        payload = datagram.payload
        kind = payload[0] if payload else -1
        if kind in (_REQUEST, self._pre_tunnel):
            at = HEADER if kind == _REQUEST else PRE_TUNNEL_HEADER
            if len(payload) > at and payload[at] == NAI and datagram.local == self._address:
                return 0  # the kernel has read it
            return self._by_nai(datagram, kind)
        if kind in (_REVOCATION, _REVOCATION_ACK):
            return self._of_revocation(payload, kind)
        return 0

    def _by_nai(self, datagram: Datagram, kind: int) -> int:
        draft03 = self._mags is not None and self._mags.writes_draft03(datagram.source)
        request: RegistrationRequest | PreTunnelRequest
        try:
            if kind == _REQUEST:
                request = RegistrationRequest.decode(datagram.payload, draft03=draft03)
            else:
                request = PreTunnelRequest.decode(datagram.payload, kind, draft03=draft03)
        except WireError:
            return 0
        return worker_of_nai(request.nai, self._workers)

    def _of_revocation(self, payload: bytes, kind: int) -> int:
        """RV13: it may name the node by nothing but its home address."""
        try:
            message = (Revocation if kind == _REVOCATION else RevocationAck).decode(payload)
        except WireError:
            return 0
        if message.nai:
            return worker_of_nai(message.nai, self._workers)
        return next(iter(self._holders(message.home_address)), 0)
