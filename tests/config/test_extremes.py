"""The least and the most that a file may say: each part of a daemon can be built from it, and works."""

from pathlib import Path

import pytest
from twisted.internet import reactor as installed_reactor
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.mac_authentication import mac_request
from pmip_tw.aaa.radius.effects import Transmit
from pmip_tw.aaa.radius.exchanges import RadiusExchanges
from pmip_tw.aaa.radius.outcome import AUTHENTICATION
from pmip_tw.addresses import mac
from pmip_tw.config.load import load
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.dhcp.server import answer, encapsulate
from pmip_tw.mobility.associations import AssociationTable
from pmip_tw.services import lma, mag
from pmip_tw.services.mag_aaa import nas_of, profile_of
from pmip_tw.services.radius import radius_of
from pmip_tw.testing.clock import FakeClock
from pmip_tw.wire.dhcp import BOOTREQUEST, DhcpMessage, MessageType, OptionCode
from pmip_tw.wire.ethernet import EthernetFrame
from pmip_tw.wire.radius import Code, decode_request

assert isinstance(installed_reactor, PosixReactorBase)
reactor: PosixReactorBase = installed_reactor

NODE = mac("02:00:00:00:00:01")
NAI = f"{'n' * 126}@{'r' * 126}"

MAG = f"""\
[mag]
address = "198.51.100.10"
identity = "{"ü" * 126}x"
default_realm = "{"r" * 235}"
control = "/{"c" * 106}"
access = [{{ interface = "a.b_c@d-e.f1234" }}]
"""
MOST = f"""\
{MAG}
lifetime = 65534
attach_probe_max_age = 86400
reject_hold = 86400
[[mag.home_prefixes]]
prefix = "128.0.0.0/2"
gateway = "191.255.255.254"
dns = [{'"10.9.0.53", ' * 16}]
lease_time = 0xfffffffe
"""
LEAST = f"""\
{MAG}
lifetime = 1
attach_probe_max_age = 1
reject_hold = 0
[[mag.home_prefixes]]
prefix = "10.1.0.0/30"
lease_time = 60
"""
RADIUS = """
[mag.radius]
timeout = {timeout}
tries = {tries}
[[mag.radius.servers]]
address = "198.51.100.53"
port = {port}
secret = "hex:00"
[[mag.radius.servers]]
address = "198.51.100.54"
secret = "text:{secret}"
"""
USERS = f"""\
[[users]]
mac = "{{mac}}"
nai = "{NAI}"
lma = "223.255.255.254"
spi = {{spi}}
key = "hex:{{key}}"
session_timeout = {{session_timeout}}
"""


def mag_settings(directory: Path, text: str) -> MagSettings:
    (directory / "mag.toml").write_text(text)
    settings = load(directory / "mag.toml")
    assert isinstance(settings, MagSettings)
    return settings


@pytest.mark.parametrize(
    ("text", "radius"),
    [
        (MOST, RADIUS.format(timeout=60, tries=10, port=65535, secret="s" * 1000)),
        (LEAST, RADIUS.format(timeout=0.1, tries=1, port=1, secret="s")),
    ],
)
def test_a_mag_with_radius(text: str, radius: str, tmp_path: Path) -> None:
    """It is built, and its requests have room for the longest identity, interface name and realm."""
    settings = mag_settings(tmp_path, text + radius)
    clock = FakeClock()
    assert mag.compose(settings, reactor)
    assert settings.radius is not None
    nas = nas_of(settings)
    exchanges = RadiusExchanges(radius_of(settings.radius, nas), clock.now())
    request = mac_request(NODE, settings.access[0].interface, nas)
    effects = exchanges.ask(request, AUTHENTICATION, clock.now())[1]
    first = settings.radius.servers[0]
    assert first.secret is not None
    sent = [effect for effect in effects if isinstance(effect, Transmit)]
    sent = [one for one in sent if one.destination.address == first.address]
    assert {decode_request(one.datagram, first.secret).code for one in sent} >= {Code.ACCESS_REQUEST}


def test_a_mag_with_users(tmp_path: Path) -> None:
    users = USERS.format(mac="02:00:00:00:00:01", spi=256, key="00" * 8, session_timeout=0)
    users += USERS.format(mac="fe:ff:ff:ff:ff:ff", spi=0xFFFFFFFF, key="00" * 500, session_timeout=0xFFFFFFFF)
    (tmp_path / "users.toml").write_text(users)
    settings = mag_settings(tmp_path, MOST + '[mag.local]\nusers = "users.toml"\n')
    assert mag.compose(settings, reactor)
    profiles = [profile_of(user) for user in settings.users]
    assert [profile.mn_ha.spi for profile in profiles] == [256, 0xFFFFFFFF]


@pytest.mark.parametrize("text", [MOST, LEAST])
def test_what_dhcp_says_fits_one_frame(text: str, tmp_path: Path) -> None:
    radius = RADIUS.format(timeout=1, tries=1, port=1, secret="s")
    settings = mag_settings(tmp_path, text + radius)
    (link,) = mag.policy_of(settings).home_links
    options = (
        (OptionCode.MESSAGE_TYPE, bytes((MessageType.DISCOVER,))),
        (OptionCode.CLIENT_IDENTIFIER, b"i" * 255),
    )
    discover = DhcpMessage(op=BOOTREQUEST, xid=1, chaddr=NODE, options=options)
    offer = answer(discover, link.prefix.network, link, link.lease_time)
    assert offer is not None
    frame = EthernetFrame.decode(encapsulate(offer, NODE, settings.gateway_mac, link.gateway))
    assert len(frame.payload) <= 1500


@pytest.mark.parametrize(
    ("numbers", "prefix"),
    [
        (
            "max_lifetime = 65534\nnat_max_lifetime = 65534\ntimestamp_window = 3600\nmtu = 65535\n"
            "handover_min_interval = 3600\naddress_hold = 86400\nkeepalive_interval = 65535",
            "128.0.0.0/2",
        ),
        (
            "max_lifetime = 1\nnat_max_lifetime = 1\ntimestamp_window = 3.001\nmtu = 576\n"
            "handover_min_interval = 0\naddress_hold = 0\nkeepalive_interval = 1",
            "128.0.0.0/30",
        ),
    ],
)
def test_an_lma(numbers: str, prefix: str, tmp_path: Path) -> None:
    node = '[[lma.mobile_nodes]]\nnai = "{}"\nspi = {}\nkey = "hex:{}"\n'
    (tmp_path / "lma.toml").write_text(
        f'[lma]\naddress = "1.0.0.0"\nidentity = "{"i" * 253}"\ndevice = "{"d" * 15}"\ncontrol = "/{"c" * 106}"\n'
        f'{numbers}\n[[lma.pools]]\nprefix = "{prefix}"\n'
        + node.format(NAI, 256, "00" * 8)
        + node.format(NAI, 0xFFFFFFFF, "00" * 500)
        + node.format("n@x", 256, "00" * 8)
        + 'home_address = "128.0.0.2"\n'
    )
    settings = load(tmp_path / "lma.toml")
    assert isinstance(settings, LmaSettings)
    assert lma.compose(settings, reactor)
    assert AssociationTable((node.nai, node.association(0)) for node in settings.mobile_nodes)
    pools = lma.pools_of(settings)
    assert pools.choose(b"n@x", b"n@x", settings.mobile_nodes[2].home_address, 0.0) == (0x80000002, "")
