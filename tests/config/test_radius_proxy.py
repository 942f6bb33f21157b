"""[mag.radius_proxy]: what is read of it, and what is wrong with it."""

from pathlib import Path

import pytest

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.proxy.access_points import AccessPoint
from pmip_tw.aaa.radius.configuration import RequireSignature
from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.config.load import load
from pmip_tw.errors import ConfigurationError
from pmip_tw.mag.authentication.access_policy import PortAuthentication
from pmip_tw.secret import Secret
from pmip_tw.services.mag_aaa import nas_of
from pmip_tw.services.mag_access import access_policy_of
from pmip_tw.services.mag_access_points import disconnects_of, proxy_settings_of
from tests.config.files import AAA, mag_settings, two_ports
from tests.conformance import covers

pytestmark = covers("AA27")

DIAMETER = """
[mag.diameter]
realm = "example.net"
ca_file = "/etc/pmip/ca.pem"
[[mag.diameter.peers]]
identity = "relay1.example.net"
address = "198.51.100.53"
"""
CLIENT = """
[[mag.radius_proxy.clients]]
address = "10.77.0.2"
secret = "text:of the access point"
interface = "eth1"
"""


def written(
    tmp_path: Path, *, method: str = "radius-proxy", proxy: str = "", clients: str = CLIENT, aaa: str = AAA
) -> Path:
    return two_ports(tmp_path, f'authentication = "{method}"', aaa, proxy, clients)


def mistakes(path: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    return [mistake.partition("mag.toml:")[2] for mistake in caught.value.mistakes]


def test_an_access_point_and_its_interface(tmp_path: Path) -> None:
    found = mag_settings(written(tmp_path))
    assert found.radius_proxy is not None
    assert (found.radius_proxy.port, found.radius_proxy.accounting_port) == (1812, 1813)
    proxy = proxy_settings_of(found.radius_proxy, nas_of(found))
    assert proxy.access_points == (
        AccessPoint(address=ipv4("10.77.0.2"), secret=Secret(b"of the access point"), port="eth1"),
    )
    assert proxy.nas == Nas(identifier="mag1", address=ipv4("198.51.100.10"))
    assert not proxy.forward_accounting and not proxy.as_access_point
    access = access_policy_of(found)
    assert access.of("eth1") is PortAuthentication.RADIUS_PROXY
    assert access.behind_access_points == ("eth1",)
    assert access.access_points == {(ipv4("10.77.0.2"), "eth1")}
    assert disconnects_of(found.radius_proxy, found).groups == ()
    assert "of the access point" not in repr(found)


def test_everything_said(tmp_path: Path) -> None:
    client = CLIENT + 'require_message_authenticator = "yes"\ndisconnect_port = 3799\n'
    ports = "port = 1645\naccounting_port = 1646"
    proxy = f'[mag.radius_proxy]\naddress = "10.77.0.1"\n{ports}\nforward_accounting = true\nnas = "access-point"\n'
    found = mag_settings(written(tmp_path, proxy=proxy, clients=client))
    table = found.radius_proxy
    assert table is not None and (table.address, table.port, table.accounting_port) == (
        ipv4("10.77.0.1"),
        1645,
        1646,
    )
    proxy = proxy_settings_of(table, nas_of(found))
    [point] = proxy.access_points
    assert proxy.as_access_point and proxy.forward_accounting
    assert point.require_message_authenticator is RequireSignature.YES and point.disconnect_port == 3799
    [group] = disconnects_of(table, found).groups
    assert group.name == "10.77.0.2:3799"
    assert [server.endpoint for server in group.servers] == [Endpoint(ipv4("10.77.0.2"), 3799)]


@pytest.mark.parametrize(
    ("changes", "line", "text"),
    [
        ({"method": "mac"}, 22, 'interface: eth1 is no [[mag.access]] with authentication = "radius-proxy"'),
        ({"clients": ""}, 7, "nobody could be let in there"),
        ({"clients": CLIENT.replace("eth1", "eth2")}, 7, 'has interface = "eth1": nobody could be let in'),
        ({"clients": CLIENT + CLIENT}, 25, "address: the access point 10.77.0.2 is already used on line 20"),
        ({"proxy": "[mag.radius_proxy]\nport = 1813"}, 18, "authentication and accounting need a port each"),
        ({"aaa": '[mag.local]\nusers = "users.toml"'}, 16, "[mag.radius_proxy] needs [mag.radius]"),
        (
            {"aaa": AAA + 'purposes = ["accounting"]\n' + DIAMETER},
            27,
            'no server of [mag.radius] has purposes = ["authentication"]: nobody would answer access points',
        ),
        (
            {
                "aaa": AAA + 'purposes = ["authentication"]',
                "proxy": "[mag.radius_proxy]\nforward_accounting = true",
            },
            18,
            'forward_accounting: no server of [mag.radius] has purposes = ["accounting"]',
        ),
    ],
)
def test_what_does_not_fit(tmp_path: Path, changes: dict[str, str], line: int, text: str) -> None:
    found = mistakes(written(tmp_path, **changes))
    assert [int(mistake.partition(":")[0]) for mistake in found if text in mistake] == [line], found


def test_no_access_point_at_all(tmp_path: Path) -> None:
    found = mistakes(written(tmp_path, proxy="[mag.radius_proxy]\nclients = []", clients=""))
    assert any("add at least one [[mag.radius_proxy.clients]]" in mistake for mistake in found)


@pytest.mark.parametrize("line", ["disconnect_port = 65536", 'interface = "a b"', 'address = "224.0.0.1"'])
def test_values_that_cannot_be(tmp_path: Path, line: str) -> None:
    name = line.partition(" ")[0]
    kept = "\n".join(one for one in CLIENT.splitlines() if not one.startswith(name))
    assert any(name in mistake for mistake in mistakes(written(tmp_path, clients=f"{kept}\n{line}")))
