"""The ways into the tunnels: one for each tunnel, however many mobile nodes share it (P42)."""

from collections.abc import Callable

from pmip_tw.addresses import Endpoint
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding.session import Carry
from pmip_tw.interfaces import ISignalling
from pmip_tw.mobility.tunnels import Encapsulation, Entry, Tunnel
from pmip_tw.wire.encapsulation import tunnel_data_header

OpenPath = Callable[[Tunnel], Carry]


class TunnelPaths:
    """Opens a path with the first entry that needs it and forgets it with the last."""

    def __init__(self, open_path: OpenPath) -> None:
        self._open = open_path
        self._paths: dict[Tunnel, Carry] = {}
        self._users: dict[Tunnel, int] = {}

    def acquire(self, tunnel: Tunnel) -> Carry:
        """ForwardingError: there is no way into such a tunnel."""
        path = self._paths.get(tunnel)
        if path is None:
            path = self._paths[tunnel] = self._open(tunnel)
        self._users[tunnel] = self._users.get(tunnel, 0) + 1
        return path

    def release(self, tunnel: Tunnel) -> None:
        left = self._users[tunnel] - 1
        if left:
            self._users[tunnel] = left
        else:
            del self._users[tunnel], self._paths[tunnel]


def require_carriable(entry: Entry) -> None:
    """ForwardingError: an encapsulation that no provider in Python carries, or a tunnel that would swallow itself."""
    tunnel = entry.tunnel
    if tunnel.encapsulation is not Encapsulation.IP_IN_IP:
        raise ForwardingError(
            "install", str(tunnel), f"{tunnel.encapsulation.label} is not supported here; use ip-in-ip"
        )
    if entry.home_address in (tunnel.local, tunnel.remote):
        raise ForwardingError("install", str(entry.key), "its home address is an end of its own tunnel (T2)")


def udp_path(signalling: ISignalling, tunnel: Tunnel) -> Carry:
    """Into RFC 3519 UDP tunnelling, from the very port that the registrations use (N12)."""
    header = tunnel_data_header(tunnel.encapsulation)
    destination = Endpoint(tunnel.remote, tunnel.remote_port)
    source = tunnel.local
    send = signalling.send

    def carry(packet: bytes) -> bool:
        send(header + packet, destination, source)
        return True

    return carry
