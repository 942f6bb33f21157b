"""What the composition roots make of settings."""

from pathlib import Path

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.config.lma_settings import LmaSettings
from pmip_tw.config.load import load
from pmip_tw.config.settings import MagSettings
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.services.lma import domains_of, pools_of
from pmip_tw.services.lma import policy_of as lma_policy_of
from pmip_tw.services.mag import compose, policy_of
from tests.config.files import MAG
from tests.conformance import covers
from tests.loops import private_reactor
from tests.namespaces import private_network
from tests.programs import require
from tests.services.daemons import shell

CONF = Path(__file__).parents[2] / "conf"


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
    routers = [domain.gateway_of(ipv4("10.1.0.9")) for domain in (main, blue)]
    assert routers == [ipv4("10.1.0.1"), ipv4("10.1.0.254")]
    pools = pools_of(settings)
    assert [pools.domain_of(nai) for nai in (b"a@example.net", b"a@blue.example")] == ["", "blue"]


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
