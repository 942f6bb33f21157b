"""``[mag] dhcp`` and what it needs: settings, mistakes with the line that the operator reads, and what is composed."""

from pathlib import Path

import pytest

from pmip_tw.addresses import UNSPECIFIED, ipv4
from pmip_tw.config.describe import description
from pmip_tw.config.load import load
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.services.mag import policy_of
from tests.conformance import covers

from .files import MAG, USERS, mistakes

LOCAL = '[mag.local]\nusers = "users.toml"\n'
RELAYED = MAG.replace("[mag]\n", '[mag]\ndhcp = "ack-trigger"\n')
TUNNELED = MAG.replace("[mag]\n", '[mag]\ndhcp = "tunnel"\n')
RELAY = '\n[mag.dhcp_relay]\nservers = ["198.51.100.67", "198.51.100.68"]\n'


def loaded(directory: Path, text: str) -> MagSettings:
    (directory / "mag.toml").write_text(text)
    settings = load(directory / "mag.toml")
    assert isinstance(settings, MagSettings)
    return settings


def test_the_mag_is_the_server_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    settings = loaded(tmp_path, MAG)
    assert (settings.dhcp, settings.dhcp_relay, settings.dhcp_subnet) == ("server", None, UNSPECIFIED)


@pytest.mark.parametrize(
    ("more", "subnet"),
    [
        ("", "10.1.0.0"),
        ('subnet = "10.2.0.0"\n', "10.2.0.0"),
        ("subnet_selection = false\n", "0.0.0.0"),
        ('subnet_selection = false\nsubnet = "10.2.0.0"\n', "0.0.0.0"),
    ],
)
def test_the_subnet_is_that_of_a_home_prefix(more: str, subnet: str, tmp_path: Path) -> None:
    text = RELAYED + RELAY + more + '\n[[mag.home_prefixes]]\nprefix = "10.2.0.0/24"\n'
    policy = policy_of(loaded(tmp_path, text))
    assert policy.dhcp == "ack-trigger"
    assert policy.dhcp_relay is not None
    assert policy.dhcp_relay.servers == (ipv4("198.51.100.67"), ipv4("198.51.100.68"))
    assert policy.dhcp_subnet == ipv4(subnet)


def test_a_relay_follows_the_mags_address_where_that_may_change(tmp_path: Path) -> None:
    """P82: no setting forbids it."""
    text = RELAYED.replace('address = "198.51.100.10"', 'uplink = "core0"') + RELAY
    assert loaded(tmp_path, text).dhcp_relay is not None


@covers("N54", "N56")
def test_what_the_tunnel_to_the_lma_needs_can_be_set(tmp_path: Path) -> None:
    more = "ack_hold = 2.5\npre_tunnel_request_type = 240\npre_tunnel_reply_type = 241\n"
    policy = policy_of(loaded(tmp_path, TUNNELED.replace("[mag]\n", f"[mag]\n{more}")))
    assert (policy.dhcp, policy.ack_hold) == ("tunnel", 2.5)
    assert (policy.pre_tunnel_request_type, policy.pre_tunnel_reply_type) == (240, 241)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MAG, "home prefix 10.1.0.0/24, RADIUS"),
        (RELAYED + RELAY, "home prefix 10.1.0.0/24, DHCP by 198.51.100.67, 198.51.100.68, RADIUS"),
        (MAG.replace("[mag]\n", '[mag]\ndhcp = "independent"\n'), "10.1.0.0/24, DHCP elsewhere, RADIUS"),
        (TUNNELED, "10.1.0.0/24, DHCP through the LMA, RADIUS"),
    ],
)
def test_whoever_checks_the_file_is_told(text: str, said: str, tmp_path: Path) -> None:
    assert said in description(loaded(tmp_path, text))[1]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            MAG.replace("[mag]\n", '[mag]\ndhcp = "proxy"\n'),
            "2:1: dhcp: 'proxy' is none of server, independent, ack-trigger, relay, tunnel",
        ),
        (
            TUNNELED + RELAY,
            '14:1: with dhcp = "tunnel" the LMA is the relay: its file has [lma.dhcp_relay];'
            " leave [mag.dhcp_relay] out",
        ),
        (
            TUNNELED.replace("[mag]\n", '[mag]\ndynamic_home_agent = true\ndefault_lmas = ["192.0.2.1"]\n'),
            '2:1: dynamic_home_agent: with dhcp = "tunnel" an LMA is asked for DHCP before anything is registered: AAA'
            " or default_lmas must name it",
        ),
        (
            TUNNELED.replace("[mag]\n", "[mag]\npre_tunnel_reply_type = 250\n"),
            "2:1: pre_tunnel_reply_type: request and reply need a number each",
        ),
        (
            TUNNELED.replace("[mag]\n", "[mag]\npre_tunnel_request_type = 1\n"),
            "2:1: pre_tunnel_request_type: must be from 28 to 254, not 1",
        ),
        (RELAYED, '2:1: dhcp: "ack-trigger" needs [mag.dhcp_relay] with servers = ["..."]'),
        (MAG + RELAY, '13:1: [mag.dhcp_relay] is for dhcp = "ack-trigger" and "relay", but dhcp is "server"'),
        (RELAYED + "\n[mag.dhcp_relay]\n", "14:1: missing setting 'servers'"),
        (RELAYED + "\n[mag.dhcp_relay]\nservers = []\n", "15:1: servers: name at least one DHCP server"),
        (
            RELAYED + RELAY.replace(".68", ".67"),
            "15:29: servers[1]: 198.51.100.67 is there twice",
        ),
        (
            RELAYED + RELAY.replace(".68", ".10"),
            "15:29: servers[1]: 198.51.100.10 is this MAG's own address, where the relay has port 67",
        ),
        (
            RELAYED + RELAY + 'subnet = "10.9.0.0"\n',
            "16:1: subnet: 10.9.0.0 is not the network of a home prefix (10.1.0.0)",
        ),
        (
            RELAYED + RELAY + 'subnet = "10.1.0.0/24"\n',
            "16:1: subnet: '10.1.0.0/24' is not an IPv4 address (four numbers 0-255, such as 192.0.2.1)",
        ),
    ],
)
def test_mistakes(text: str, line: str, tmp_path: Path) -> None:
    assert mistakes(tmp_path, text) == [f"mag.toml:{line}"]


@covers("D16")
def test_a_file_of_users_has_no_access_accept_to_be_told_of(tmp_path: Path) -> None:
    told = RELAYED + RELAY + 'option_82 = ["radius"]\n'
    assert mistakes(tmp_path, told) == []
    by_file = told[: told.index("[[mag.radius")] + LOCAL + told[told.index("\n[mag.dhcp_relay]") :]
    [mistake] = mistakes(tmp_path, by_file, USERS)
    assert mistake.endswith("option_82[0]: 'radius' needs [mag.radius]: a file of users has no Access-Accept")
