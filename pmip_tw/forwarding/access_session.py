"""What a MAG's packet plane remembers of one mobile node."""

from pmip_tw.forwarding.session import Session
from pmip_tw.mobility.tunnels import AccessEntry


class AccessSession(Session, eq=False, kw_only=True, gc=False):
    """``header`` is what stands before a frame to the node; ``awaited`` the keepalive without answer, 0 if none."""

    entry: AccessEntry
    header: bytes
    awaited: int = 0
