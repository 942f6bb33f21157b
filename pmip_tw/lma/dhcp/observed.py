"""What an LMA tells of DHCP that it relays, and of leases."""

from pmip_tw.addresses import ipv4_text, mac_text
from pmip_tw.lma.dhcp.leases import DhcpLease
from pmip_tw.lma.dhcp.pretunnels import PreTunnel
from pmip_tw.mobility.effects import Observe
from pmip_tw.mobility.observations import Detail, Observation
from pmip_tw.wire.dhcp import DhcpMessage


def pre_tunnel_opened(pre_tunnel: PreTunnel) -> Observe:
    return _of_pre_tunnel("pre-tunnel-opened", pre_tunnel, tunnel=str(pre_tunnel.tunnel))


def pre_tunnel_closed(pre_tunnel: PreTunnel, why: str) -> Observe:
    """``registered`` or ``expired``."""
    return _of_pre_tunnel("pre-tunnel-closed", pre_tunnel, reason=why)


def _of_pre_tunnel(name: str, pre_tunnel: PreTunnel, *, reason: str = "", **more: Detail) -> Observe:
    details: dict[str, Detail] = {"mag": ipv4_text(pre_tunnel.place.care_of_address), **more}
    session = "" if pre_tunnel.mac is None else mac_text(pre_tunnel.mac)
    return Observe(
        Observation(name=name, nai=_nai(pre_tunnel.nai), session=session, reason=reason, details=details)
    )


def forwarded(nai: bytes, message: DhcpMessage, *, shortened: bool) -> Observe:
    """``shortened``: without option 82, for which there was no room (D8)."""
    details: dict[str, Detail] = {"message": _kind(message)}
    if shortened:
        details["without_option_82"] = True
    return _of_client("dhcp-forwarded", nai, message, details=details)


def answered(nai: bytes, message: DhcpMessage) -> Observe:
    """What a client is told."""
    details: dict[str, Detail] = {}
    if message.yiaddr:
        details = {"address": ipv4_text(message.yiaddr), "lease": message.lease_time or 0}
    return _of_client(f"dhcp-{_kind(message)}", nai, message, details=details)


def unanswered(nai: bytes, message: DhcpMessage, servers: str) -> Observe:
    cause = f"no answer from {servers} to its {_kind(message)}"
    return _of_client("dhcp-unanswered", nai, message, reason="dhcp-servers", cause=cause)


def _of_client(
    name: str,
    nai: bytes,
    message: DhcpMessage,
    *,
    reason: str = "",
    cause: str = "",
    details: dict[str, Detail] | None = None,
) -> Observe:
    session = mac_text(message.chaddr)
    return Observe(
        Observation(
            name=name, nai=_nai(nai), session=session, reason=reason, cause=cause, details=details or {}
        )
    )


def servers_silent(servers: str) -> Observe:
    """Once until one of them is heard again."""
    cause = f"{servers}: no DHCP server answers; nodes wait, and ask again"
    return Observe(Observation(name="dhcp-servers-silent", reason="dhcp-servers", cause=cause))


def servers_heard() -> Observe:
    return Observe(Observation(name="dhcp-servers-heard"))


def leased(lease: DhcpLease, seconds: int) -> Observe:
    return Observe(
        Observation(
            name="lease-recorded",
            nai=_nai(lease.nai),
            session=str(lease.key),
            details={"mac": mac_text(lease.mac), "lease": seconds},
        )
    )


def lease_ended(lease: DhcpLease, why: str) -> Observe:
    """``released``, ``declined``, ``refused`` by a server, ``expired``, ``replaced``, or ``told`` to be over."""
    details: dict[str, Detail] = {"mac": mac_text(lease.mac)}
    return Observe(
        Observation(
            name="lease-ended", nai=_nai(lease.nai), session=str(lease.key), reason=why, details=details
        )
    )


def _nai(nai: bytes) -> str:
    return nai.decode(errors="replace")


def _kind(message: DhcpMessage) -> str:
    kind = message.message_type
    return "message" if kind is None else kind.name.lower()
