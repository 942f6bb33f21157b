"""``[lma] pre_tunnel`` and what belongs to it: settings, mistakes with their lines, and what is composed."""

from pathlib import Path

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.config.load import load
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.dhcp.relaying import Fact
from pmip_tw.services.lma_parts import dhcp_relay_of, pools_of
from tests.conformance import covers

from .files import LMA, mistakes

RELAY = '[lma.dhcp_relay]\nservers = ["198.51.100.67"]\n'
BY_DHCP = LMA.replace("[lma]\n", "[lma]\npre_tunnel = true\n").replace(
    'exclude = ["10.1.0.9"]', 'assigned_by = "dhcp"'
)


def loaded(directory: Path, text: str) -> LmaSettings:
    (directory / "lma.toml").write_text(text)
    settings = load(directory / "lma.toml")
    assert isinstance(settings, LmaSettings)
    return settings


@covers("D1", "N56")
def test_nothing_is_relayed_unless_it_is_wanted(tmp_path: Path) -> None:
    settings = loaded(tmp_path, LMA)
    assert not settings.pre_tunnel and dhcp_relay_of(settings) is None
    assert pools_of(settings).dhcp_link(b"mn1@example.net") is None


@covers("D32", "N53")
def test_servers_answer_to_us_or_to_what_is_named(tmp_path: Path) -> None:
    policy = dhcp_relay_of(loaded(tmp_path, BY_DHCP + RELAY))
    assert policy is not None and policy.giaddr == ipv4("192.0.2.1")
    more = RELAY + 'giaddr = "10.9.9.9"\noption_82 = ["link-selection"]\n'
    settings = loaded(
        tmp_path, BY_DHCP.replace('assigned_by = "dhcp"', 'assigned_by = "dhcp"\ngiaddr = "10.1.0.1"') + more
    )
    policy = dhcp_relay_of(settings)
    assert policy is not None and policy.giaddr == ipv4("10.9.9.9")
    assert policy.option_82 == {Fact.LINK_SELECTION}
    link = pools_of(settings).dhcp_link(b"mn1@example.net")
    assert link is not None and link.giaddr == ipv4("10.1.0.1")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            BY_DHCP,
            [
                '2:1: pre_tunnel: DHCP out of these tunnels is relayed: add [lma.dhcp_relay] with servers = ["..."]'
            ],
        ),
        (
            LMA.replace("[lma]\n", "[lma]\npre_tunnel = true\n") + RELAY,
            ['2:1: pre_tunnel: for nodes of pools with assigned_by = "dhcp", of which there is none'],
        ),
        (LMA + RELAY, ["14:1: [lma.dhcp_relay] means nothing without pre_tunnel = true"]),
        (
            LMA.replace('exclude = ["10.1.0.9"]', 'assigned_by = "dhcp"'),
            [
                '7:1: assigned_by: leases come by this LMA, or nobody gets an address: "dhcp" needs pre_tunnel = true'
            ],
        ),
        (
            LMA.replace('exclude = ["10.1.0.9"]', 'giaddr = "10.1.0.1"'),
            ['7:1: giaddr: is for DHCP servers, and means nothing without assigned_by = "dhcp"'],
        ),
        (
            BY_DHCP.replace("[lma]\n", '[lma]\nbinding_key = "nai+tech"\n') + RELAY,
            ["2:1: binding_key: with pre_tunnel a node has one lease, and so one home address: use nai"],
        ),
        (
            BY_DHCP.replace("[lma]\n", "[lma]\npre_tunnel_request_type = 251\n") + RELAY,
            ["2:1: pre_tunnel_request_type: request and reply need a number each"],
        ),
        (
            BY_DHCP.replace("[lma]\n", "[lma]\npre_tunnel_reply_type = 3\n") + RELAY,
            ["2:1: pre_tunnel_reply_type: must be from 28 to 254, not 3"],
        ),
        (
            BY_DHCP + RELAY + 'option_82 = ["radius"]\n',
            ["17:14: option_82[0]: 'radius' is for MAGs: an LMA does not ask AAA"],
        ),
        (
            BY_DHCP + RELAY.replace("198.51.100.67", "192.0.2.1"),
            ["16:12: servers[0]: 192.0.2.1 is this LMA's own address, where the relay has port 67"],
        ),
    ],
)
def test_mistakes(text: str, found: list[str], tmp_path: Path) -> None:
    assert mistakes(tmp_path, text) == [f"mag.toml:{one}" for one in found]
