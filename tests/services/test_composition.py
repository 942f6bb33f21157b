"""What the composition roots make of settings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import attrs
import pytest

from pmip_tw.aaa.radius.configuration import RequireSignature, StatusServer, Strategy
from pmip_tw.addresses import Endpoint, ipv4, mac, prefix
from pmip_tw.config.load import load
from pmip_tw.config.settings.dhcp_relay import MagDhcpRelay
from pmip_tw.config.settings.dot1x import Dot1xSettings
from pmip_tw.config.settings.dynamic_authorization import Filter
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.config.settings.mag import AccessInterface, HomePrefix, LmaPeer, MagSettings
from pmip_tw.config.settings.redirects import Redirect
from pmip_tw.mobility.tunnels import AnchorKey, Encapsulation
from pmip_tw.secret import Secret
from pmip_tw.services.lma_parts import domains_of, pools_of
from pmip_tw.services.lma_parts import policy_of as lma_policy_of
from pmip_tw.services.mag import compose, policy_of
from pmip_tw.services.mag_aaa import nas_of, profile_rules_of
from pmip_tw.services.radius import radius_of
from tests.config.files import MAG
from tests.conformance import covers
from tests.loops import private_reactor
from tests.namespaces import private_network
from tests.programs import require
from tests.services.daemons import shell

CONF = Path(__file__).parents[2] / "conf"
OTHER_LMA = ipv4("192.0.2.2")

OF_ANY = {"identity", "control", "store"}
OF_AN_LMA = {
    "diameter",
    "workers",
    "address_hold",
    "broadcast_addresses",
    "device",
    "mtu",
    "domains",
    "pools",
    "mags",
    "mobile_nodes",
    "mobile_nodes_file",
    "dhcp_relay",
    "dynamic_authorization",
    "radius",
    "accounting",
    "keys",
}
OF_A_MAG = {
    "uplink",
    "radius",
    "radius_proxy",
    "diameter",
    "local",
    "default_realm",
    "dynamic_authorization",
    "profile",
    "accounting",
    "local_routing",
    "local_breakout",
    "local_breakout_mode",
    "local_breakout_device",
    "advertise_mtu",
}
NO_POLICY = {LmaSettings: OF_ANY | OF_AN_LMA, MagSettings: OF_ANY | OF_A_MAG}
"""Settings of the devices, of AAA and of tables; they have tests of their own."""

RENAMED = {
    "binding_key": {"by_technology"},
    "dynamic_ha_format": {"drawn_redirects"},
    "coa_mode": {"colocated"},
    "unknown_hoa": {"unknown_home_address"},
    "lmas": {"associations"},
    "home_prefixes": {"home_links"},
    "dot1x": {"access"},
    "dhcp_relay": {"dhcp_relay", "dhcp_subnet"},
    "unknown_filter": {"ignores_unknown_filters"},
    "reserved3_policy": {"refuse_reserved_144"},
}

CHANGED: dict[str, Any] = {
    "gateway_mac": mac("02:00:00:00:00:99"),
    "encapsulations": ("gre",),
    "redirects": (Redirect(realms=("example.org",), home_agent=OTHER_LMA),),
    "default_lmas": (OTHER_LMA,),
    "filters": (Filter(name="guests", rules=("permit up ip any",)),),
    "lmas": (LmaPeer(address=OTHER_LMA, auth="ipsec"),),
    "home_prefixes": (HomePrefix(prefix=prefix("10.2.0.0/16"), dns=()),),
    "access": (AccessInterface(interface="eth1", authentication="radius-proxy"),),
    "dot1x": Dot1xSettings(max_tries=2),
    "dhcp_relay": MagDhcpRelay(servers=(OTHER_LMA,)),
}


def another(field: "attrs.Attribute[Any]", value: object) -> Any:
    """A value that ``field`` may have, and not ``value``."""
    if field.name in CHANGED:
        return CHANGED[field.name]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return next(word for word in get_args(field.type) if word != value)


@pytest.mark.parametrize(
    ("kind", "file", "made"),
    [(LmaSettings, "lma.toml", lma_policy_of), (MagSettings, "mag.toml", policy_of)],
    ids=["lma", "mag"],
)
def test_each_setting_reaches_its_place_and_no_other(
    kind: Any, file: str, made: Callable[[Any], Any]
) -> None:
    settings: Any = load(CONF / file)
    before = attrs.asdict(made(settings), recurse=False)
    for field in attrs.fields(kind):
        if field.name in NO_POLICY[kind]:
            continue
        changed = attrs.evolve(settings, **{field.name: another(field, getattr(settings, field.name))})
        after = attrs.asdict(made(changed), recurse=False)
        moved = {name for name in after if after[name] != before[name]}
        assert moved == RENAMED.get(field.name, {field.name}), field.name


@pytest.mark.parametrize(
    ("text", "mtu"),
    [
        ("", None),
        ("advertise_mtu = true", 1468),
        ('advertise_mtu = true\nnat_traversal = "off"', 1480),
        ('advertise_mtu = true\nencapsulation = "gre"\ngre_key = "own"\ngre_key_with_d = true', 1460),
        ('advertise_mtu = true\nencapsulation = "gre"\nnat_traversal = "off"', 1476),
        ('advertise_mtu = true\nencapsulation = "minimal"', 1468),
    ],
)
def test_the_mtu_that_dhcp_tells(tmp_path: Path, text: str, mtu: int | None) -> None:
    """D26: what the largest encapsulation in use leaves of 1500 octets, if it is to be told."""
    path = tmp_path / "mag.toml"
    path.write_text((CONF / "mag.toml").read_text().replace("[mag]", f"[mag]\n{text}", 1))
    settings = load(path)
    assert isinstance(settings, MagSettings)
    [link] = policy_of(settings).home_links
    assert link.mtu == mtu


@covers("P85", "P70")
def test_the_address_spaces_of_an_lma(tmp_path: Path) -> None:
    """Each has its device, its table and the prefixes of its own pools; errors come from each link's gateway."""
    path = tmp_path / "lma.toml"
    path.write_text(
        (CONF / "lma.toml").read_text()
        + """
[[lma.domains]]
name = "blue"
device = "mip-blue"
table = 100

[[lma.pools]]
prefix = "10.1.0.0/24"
gateway = "10.1.0.254"
realms = ["blue.example"]
domain = "blue"
"""
    )
    settings = load(path)
    assert isinstance(settings, LmaSettings)
    main, blue = domains_of(settings)
    assert (main.name, main.device, main.table, main.prefixes) == ("", "mip0", None, blue.prefixes)
    assert (blue.name, blue.device, blue.table) == ("blue", "mip-blue", 100)
    assert {domain.mtu for domain in domains_of(attrs.evolve(settings, mtu=1400))} == {1400}
    routers = [domain.gateway_of(ipv4("10.1.0.9")) for domain in (main, blue)]
    assert routers == [ipv4("10.1.0.1"), ipv4("10.1.0.254")]
    pools = pools_of(settings)
    assert [pools.domain_of(nai) for nai in (b"a@example.net", b"a@blue.example")] == ["", "blue"]


@covers("P30", "P70", "P80")
def test_the_pools_of_an_lma(tmp_path: Path) -> None:
    """What is excluded, fixed or held is nobody else's, and a MAG is told of the home link what is configured."""
    path = tmp_path / "lma.toml"
    path.write_text(
        """[lma]
address = "192.0.2.1"
identity = "lma1"
address_hold = 5
pools = [{ prefix = "10.1.0.0/29", gateway = "10.1.0.6", exclude = ["10.1.0.1"], dns = ["10.9.0.53"] }]

[[lma.mobile_nodes]]
nai = "fixed"
spi = 4096
key = "text:0123456789abcdef"
home_address = "10.1.0.2"
"""
    )
    settings = load(path)
    assert isinstance(settings, LmaSettings)
    pools = pools_of(settings)
    assert pools.choose(b"fixed", b"fixed", ipv4("0.0.0.0"), 0) == AnchorKey(ipv4("10.1.0.2"))
    free = [number for number in range(8) if pools.choose(b"mn", b"mn", ipv4(f"10.1.0.{number}"), 0)]
    assert free == [3, 4, 5]
    key = AnchorKey(ipv4("10.1.0.3"))
    link = pools.link(key)
    assert link is not None
    assert (link.gateway, link.name_servers) == (ipv4("10.1.0.6"), (ipv4("10.9.0.53"),))
    pools.take(key, b"mn", b"mn")
    pools.release(key, 10)
    others = [pools.choose(b"other", b"other", key.home_address, monotonic) for monotonic in (14.9, 15.0)]
    assert others == [None, key]


def test_how_a_mag_asks_radius(tmp_path: Path) -> None:
    path = tmp_path / "mag.toml"
    path.write_text(
        MAG.replace("[mag]\n", '[mag]\ndefault_realm = "example.net"\n')
        + 'port = 1645\naccounting_port = 1646\nrequire_message_authenticator = "yes"\n'
        + 'status_server = "no"\nweight = 3\nmax_outstanding = 100\n'
        + '[mag.radius]\ntimeout = 0.5\ntries = 7\nstrategy = "weighted"\ndead_time = 60\n'
        + "probe_interval = 5\nwatchdog = 20\nmax_outstanding = 10\nmax_waiting = 20\n"
    )
    settings = load(path)
    assert isinstance(settings, MagSettings) and settings.radius is not None
    asked = radius_of(settings.radius, nas_of(settings))
    authentication, accounting = asked.groups
    assert (authentication.name, accounting.name) == ("authentication", "accounting")
    [server], [accounts] = authentication.servers, accounting.servers
    assert server.endpoint == Endpoint(ipv4("198.51.100.53"), 1645)
    assert accounts.endpoint == Endpoint(ipv4("198.51.100.53"), 1646)
    assert (server.secret, server.require_message_authenticator) == (
        Secret(b"change-me"),
        RequireSignature.YES,
    )
    assert (server.status_server, server.weight, server.max_outstanding) == (StatusServer.NO, 3, 100)
    assert (asked.nas.identifier, asked.nas.address) == ("mag1", ipv4("198.51.100.10"))
    assert (asked.timeout, asked.tries, authentication.strategy) == (0.5, 7, Strategy.WEIGHTED)
    assert (asked.dead_time, asked.probe_interval, asked.watchdog) == (60, 5, 20)
    assert (asked.max_outstanding, asked.max_waiting) == (10, 20)
    assert profile_rules_of(settings).default_realm == "example.net"


@covers("H11", "L3", "P23", "DY7")
def test_what_an_lma_offers(tmp_path: Path) -> None:
    path = tmp_path / "lma.toml"
    path.write_text(
        (CONF / "lma.toml")
        .read_text()
        .replace(
            "[lma]\n",
            """[lma]
encapsulations = ["gre", "ip-in-ip"]
gre_key_with_d = false
max_bindings = 3
binding_key = "nai+tech"
tunnel_broadcast = true
dynamic_home_agent = true
dynamic_ha_format = "short"
explain_refusals = true
redirects = [{ realms = ["Example.ORG"], home_agent = "192.0.2.2" }]
""",
            1,
        )
    )
    settings = load(path)
    assert isinstance(settings, LmaSettings)
    policy = lma_policy_of(settings)
    assert policy.encapsulations == {Encapsulation.GRE, Encapsulation.IP_IN_IP}
    assert (policy.gre_key_with_d, policy.max_bindings, policy.by_technology) == (False, 3, True)
    assert (policy.tunnel_broadcast, policy.dynamic_home_agent, policy.drawn_redirects) == (True, True, False)
    assert (policy.redirects, policy.explain_refusals) == ({b"example.org": ipv4("192.0.2.2")}, True)


@covers("P82")
@pytest.mark.parametrize(
    ("uplink", "said"),
    [
        ("core9", "uplink: there is no interface 'core9'; this machine has "),
        ("bare0", "'bare0' has no IPv4 address"),
    ],
)
def test_a_mag_does_not_begin_without_an_address(uplink: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mag.toml").write_text(MAG.replace('address = "198.51.100.10"', f'uplink = "{uplink}"', 1))
    settings = load(tmp_path / "mag.toml")
    assert isinstance(settings, MagSettings)
    require("ip")
    with private_network(), private_reactor() as reactor, pytest.raises(SystemExit, match=said):
        shell("ip link add bare0 type veth peer name other")
        compose(settings, reactor)
