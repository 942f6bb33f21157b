"""A configuration in one sentence, for whoever checks a file."""

from pmip_tw.addresses import ipv4_text
from pmip_tw.config.load import Settings
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.config.settings.radius import RadiusServer
from pmip_tw.config.settings.relay import RelaySettings


def description(settings: Settings) -> tuple[str, str]:
    """The role, "mag", "lma" or "dhcp-relay", and what the settings describe."""
    if isinstance(settings, RelaySettings):
        return "dhcp-relay", _relay(settings)
    if isinstance(settings, LmaSettings):
        return "lma", _lma(settings)
    return "mag", _mag(settings)


def _mag(mag: MagSettings) -> str:
    interfaces = ", ".join(link.interface for link in mag.access)
    prefixes = ", ".join(str(home.prefix) for home in mag.home_prefixes)
    if mag.diameter is not None and "authentication" in mag.diameter.purposes:
        peers = ", ".join(
            f"{peer.identity} at {ipv4_text(peer.address)}:{peer.usual_port}" for peer in mag.diameter.peers
        )
        aaa = f"Diameter {peers}"
    elif mag.radius is not None:
        servers = ", ".join(map(_radius_server, mag.radius.servers))
        aaa = f"RADIUS {servers}"
    else:
        aaa = f"{_count(len(mag.users), 'user')} of its own file"
    own = f"the address of {mag.uplink}" if mag.uplink else ipv4_text(mag.address)
    return (
        f"a MAG: {mag.identity} at {own}, access on {interfaces}, home prefix {prefixes}{_dhcp(mag)}, {aaa}"
        f"{_nearby(mag)}"
    )


def _radius_server(server: RadiusServer) -> str:
    if server.transport == "tls":
        return f"{ipv4_text(server.address)}:{server.radsec_port} (TLS)"
    return f"{ipv4_text(server.address)}:{server.port}"


def _dhcp(mag: MagSettings) -> str:
    """Nothing where the MAG serves DHCP itself, as most do."""
    if mag.dhcp_relay is not None:
        return f", DHCP by {', '.join(map(ipv4_text, mag.dhcp_relay.servers))}"
    return {"independent": ", DHCP elsewhere", "tunnel": ", DHCP through the LMA"}.get(mag.dhcp, "")


def _nearby(mag: MagSettings) -> str:
    """What is past the tunnels; nothing, as a rule."""
    return f", {', '.join(map(str, mag.local_breakout))} past the tunnels" if mag.local_breakout else ""


def _lma(lma: LmaSettings) -> str:
    pools = ", ".join(
        f"{pool.prefix} of {pool.domain}" if pool.domain else str(pool.prefix) for pool in lma.pools
    )
    nodes = _count(len({nai for nai, _ in lma.associations}), "mobile node")
    trusted = sum(mag.auth != "per-mn" for mag in lma.mags)
    mags = f", {_count(trusted, 'MAG')} with FA-HA or IPsec" if trusted else ""
    aaa = "" if lma.radius is None else f", RADIUS {', '.join(map(_radius_server, lma.radius.servers))}"
    return f"an LMA: {lma.identity} at {ipv4_text(lma.address)}, pool {pools}, {nodes}{mags}{aaa}"


def _relay(relay: RelaySettings) -> str:
    links = ", ".join(link.interface for link in relay.links)
    servers = ", ".join(map(ipv4_text, relay.servers))
    told = f", option 82 with {', '.join(relay.option_82)}" if relay.option_82 else ""
    return f"a DHCP relay: {relay.identity}, clients on {links}, servers {servers}{told}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
