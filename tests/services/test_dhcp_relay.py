"""``twistd pmip-dhcp-relay``: what its file says reaches its place; started and stopped it leaves nothing behind."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from pmip_tw.addresses import Ipv4, Prefix, ipv4, prefix
from pmip_tw.config.load import load
from pmip_tw.config.settings.relay import RelaySettings
from pmip_tw.dhcp.relaying import Fact, Spread
from pmip_tw.services.dhcp_relay import client_links_of
from pmip_tw.services.dhcp_relaying import relay_policy_of
from tests.config.files import mistakes
from tests.conformance import covers
from tests.namespaces import private_network
from tests.programs import require
from tests.services.daemons import BIN, CONF, ended, running, shell

RELAY = """\
[dhcp_relay]
identity = "relay1"
servers = ["198.51.100.67", "198.51.100.68"]

[[dhcp_relay.links]]
interface = "eth1"
"""
OWN = {"eth1": (ipv4("10.1.0.1"), prefix("10.1.0.0/24")), "eth2": (ipv4("10.2.0.1"), prefix("10.2.0.0/24"))}


def settings_of(directory: Path, text: str) -> RelaySettings:
    (directory / "dhcp-relay.toml").write_text(text)
    settings = load(directory / "dhcp-relay.toml")
    assert isinstance(settings, RelaySettings)
    return settings


def own(interface: str) -> tuple[Ipv4, Prefix]:
    return OWN[interface]


@covers("D1", "D3", "D5", "D8")
def test_the_defaults(tmp_path: Path) -> None:
    """No option 82, four hops, every server, what Ethernet takes."""
    policy = relay_policy_of(settings_of(tmp_path, RELAY))
    assert policy.servers == (ipv4("198.51.100.67"), ipv4("198.51.100.68"))
    assert (policy.option_82, policy.max_hops, policy.spread, policy.max_size) == (
        frozenset(),
        4,
        Spread.ALL,
        1500,
    )
    assert not policy.client_subnet_selection and not policy.subnet_selection


def test_every_setting_reaches_its_place(tmp_path: Path) -> None:
    more = 'spread = "hash"\noption_82 = ["remote-id", "link-selection"]\nmax_hops = 2\nmax_size = 600\n'
    text = RELAY.replace("\n\n", f"\n{more}client_subnet_selection = true\n\n", 1)
    policy = relay_policy_of(settings_of(tmp_path, text), subnet_selection=True)
    assert policy.option_82 == {Fact.REMOTE_ID, Fact.LINK_SELECTION}
    assert (policy.max_hops, policy.spread, policy.max_size) == (2, Spread.HASH, 600)
    assert policy.client_subnet_selection and policy.subnet_selection


@covers("D4", "D12", "D13")
def test_links_are_what_their_interfaces_say_unless_they_are_told_otherwise(tmp_path: Path) -> None:
    text = (
        with_line('option_82 = ["circuit-id", "subscriber-id", "link-selection"]')
        + """
[[dhcp_relay.links]]
interface = "eth2"
giaddr = "192.0.2.9"
subnet = "10.9.0.0"
circuit_id = "hall 2"
subscriber_id = "house 7"
trusted = true
"""
    )
    first, second = client_links_of(settings_of(tmp_path, text), own)
    assert (first.name, first.prefix, first.circuit.giaddr) == (
        "eth1",
        prefix("10.1.0.0/24"),
        ipv4("10.1.0.1"),
    )
    assert (first.circuit.circuit_id, first.circuit.subscriber_id) == (b"relay1:eth1", b"")
    assert (first.circuit.subnet, first.circuit.trusted) == (ipv4("10.1.0.0"), False)
    assert (second.circuit.giaddr, second.circuit.subnet) == (ipv4("192.0.2.9"), ipv4("10.9.0.0"))
    assert (second.circuit.circuit_id, second.circuit.subscriber_id) == (b"hall 2", b"house 7")
    assert (second.circuit.port, second.circuit.trusted) == ("eth2", True)


def test_one_address_for_all_links(tmp_path: Path) -> None:
    text = RELAY.replace("\n\n", '\ngiaddr = "192.0.2.9"\n\n', 1)
    [link] = client_links_of(settings_of(tmp_path, text), own)
    assert link.circuit.giaddr == ipv4("192.0.2.9")


def with_line(line: str) -> str:
    return RELAY.replace("\n\n", f"\n{line}\n\n", 1)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (RELAY.replace('identity = "relay1"\n', ""), "1:1: missing setting 'identity'"),
        (with_line("servers_ = 1"), "4:1: unknown setting 'servers_' - did you mean 'servers'?"),
        (
            RELAY.replace('["198.51.100.67", "198.51.100.68"]', "[]"),
            "3:1: servers: name at least one DHCP server",
        ),
        (RELAY.replace(".68", ".67"), "3:29: servers[1]: 198.51.100.67 is there twice"),
        (
            with_line('giaddr = "198.51.100.68"'),
            "3:29: servers[1]: 198.51.100.68 is giaddr, where the relay has port 67",
        ),
        (
            with_line('giaddr = "255.255.255.255"'),
            "4:1: giaddr: 255.255.255.255 is not the address of a machine",
        ),
        (with_line("max_hops = 17"), "4:1: max_hops: must be from 0 to 16, not 17"),
        (
            with_line('option_82 = ["circuit"]'),
            "4:14: option_82[0]: 'circuit' is none of circuit-id, remote-id, subscriber-id, link-selection, "
            "server-id-override, radius - did you mean 'circuit-id'?",
        ),
        (
            with_line('option_82 = ["remote-id", "remote-id"]'),
            "4:27: option_82[1]: 'remote-id' is there twice",
        ),
        (
            with_line('option_82 = ["radius"]'),
            "4:14: option_82[0]: 'radius' is for a MAG, which asks AAA about its nodes: leave it out",
        ),
        (
            with_line('option_82 = ["subscriber-id"]'),
            "4:14: option_82[0]: 'subscriber-id': no [[dhcp_relay.links]] has a subscriber_id",
        ),
        (
            with_line('option_82 = ["server-id-override"]\nspread = "hash"'),
            "4:14: option_82[0]: 'server-id-override' needs spread = \"all\": servers that go by one name must all "
            "hear what a client says (RFC 5107 4)",
        ),
        (
            RELAY + '[[dhcp_relay.links]]\ninterface = "eth1"\n',
            "8:1: interface: the interface eth1 is already used on line 6",
        ),
        (
            RELAY + 'circuit_id = "Grüße"\n',
            "7:1: circuit_id: must be at most 100 printable ASCII characters, not 'Grüße'",
        ),
        (
            RELAY + 'circuit_id = "hall 1"\n',
            '7:1: circuit_id: servers are told of it with "circuit-id" in option_82 only',
        ),
        (
            with_line('option_82 = ["circuit-id"]') + 'subscriber_id = "house 7"\n',
            '8:1: subscriber_id: servers are told of it with "subscriber-id" in option_82 only',
        ),
        (
            RELAY + 'subnet = "10.9.0.0"\n',
            '7:1: subnet: servers are told of it with "link-selection" in option_82, or subnet_selection = true, only',
        ),
        (
            RELAY.partition("\n[[")[0] + "links = []\n",
            '4:1: links: add [[dhcp_relay.links]] with interface = "..."',
        ),
    ],
)
def test_mistakes(text: str, line: str, tmp_path: Path) -> None:
    assert mistakes(tmp_path, text) == [f"mag.toml:{line}"]


@pytest.mark.parametrize("line", ['option_82 = ["link-selection"]', "subnet_selection = true"])
def test_a_subnet_that_servers_hear_of_is_no_mistake(line: str, tmp_path: Path) -> None:
    assert settings_of(tmp_path, with_line(line) + 'subnet = "10.9.0.0"\n').links[0].subnet == ipv4(
        "10.9.0.0"
    )


def test_the_file_of_another_role_is_refused() -> None:
    result = ended("dhcp-relay", CONF / "mag.toml")
    assert result.returncode == 1
    assert "it describes a MAG: twistd pmip-mag runs it" in result.stderr
    assert (
        "it describes a DHCP relay: twistd pmip-dhcp-relay runs it"
        in ended("lma", CONF / "dhcp-relay.toml").stderr
    )


def test_an_interface_that_is_not_there_and_one_without_an_address() -> None:
    require("ip")
    with private_network():
        assert "there is no interface 'eth1'" in ended("dhcp-relay", CONF / "dhcp-relay.toml").stderr
        shell("ip link add eth1 type veth peer name host")
        assert "'eth1' has no IPv4 address" in ended("dhcp-relay", CONF / "dhcp-relay.toml").stderr


def test_started_asked_and_stopped(tmp_path: Path) -> None:
    require("ip")
    path, socket = tmp_path / "dhcp-relay.toml", tmp_path / "relay.sock"
    path.write_text(RELAY.replace("\n\n", f'\ncontrol = "{socket}"\n\n', 1))
    with private_network():
        shell("ip link add eth1 type veth peer name host")
        shell("ip addr add 10.1.0.1/24 dev eth1")
        shell("ip link set eth1 up")
        with running("dhcp-relay", path) as relay:
            for what in ("clients", "counters"):
                shown = subprocess.run(
                    [str(BIN / "pmipctl"), "--json", "--socket", str(socket), "show", what],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                assert json.loads(shown.stdout) == {what: []}
            second = ended("dhcp-relay", path)
            assert "UDP 10.1.0.1:67 cannot be bound" in second.stdout + second.stderr
            relay.send_signal(signal.SIGTERM)
            assert "has stopped" in relay.communicate(timeout=60)[0]
        assert not socket.exists()
