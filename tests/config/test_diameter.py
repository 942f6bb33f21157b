"""[mag.diameter]: the example is true, and every mistake is told."""

import re
from pathlib import Path

import attrs
import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.config.describe import description
from pmip_tw.config.load import load
from pmip_tw.config.settings.diameter import DiameterPeer, DiameterSettings
from pmip_tw.config.settings.mag import MagSettings
from tests.config.files import LMA, MAG, USERS, mistakes

CONF = Path(__file__).parents[2] / "conf"
RADIUS = MAG[MAG.index("[[mag.radius.servers]]") :]
WITHOUT = MAG.removesuffix(RADIUS)
DIAMETER = """\
[mag.diameter]
realm = "example.net"
ca_file = "/etc/pmip/ca.pem"

[[mag.diameter.peers]]
identity = "relay1.example.net"
address = "198.51.100.53"
"""
PLAIN = DIAMETER.replace('ca_file = "/etc/pmip/ca.pem"\n', "") + 'transport = "tcp"\n'
SECOND = '[[mag.diameter.peers]]\nidentity = "relay2.example.net"\naddress = "198.51.100.54"\n'


def settings(directory: Path, text: str) -> MagSettings:
    (directory / "mag.toml").write_text(text)
    loaded = load(directory / "mag.toml")
    assert isinstance(loaded, MagSettings)
    return loaded


def test_the_example_has_every_setting_and_shows_the_defaults(tmp_path: Path) -> None:
    text = (CONF / "mag.toml").read_text()
    block = text[text.index("# [mag.diameter]") :].partition("\n\n")[0]
    lines = [re.sub(r"^#\s*(?=\[|[a-z0-9_]+ = )", "", line) for line in block.splitlines()]
    shown = "\n".join(line for line in lines if not line.startswith("#"))
    found = settings(tmp_path, WITHOUT + shown).diameter
    assert found is not None
    for kind in (DiameterSettings, DiameterPeer):
        for attribute in attrs.fields(kind):
            assert re.search(rf"^(\[\[.*\b)?{attribute.name}\b", shown, re.MULTILINE), attribute.name
    least = settings(
        tmp_path,
        WITHOUT
        + DIAMETER.replace("realm =", 'server_realm = "example.net"\nidentity = "mag1.example.net"\nrealm ='),
    ).diameter
    assert least is not None
    files = {"certificate_file": "/etc/pmip/mag1.pem", "key_file": "/etc/pmip/mag1.key"}
    assert attrs.evolve(found, **files) == found
    [peer] = found.peers
    assert peer.port == peer.usual_port == 5868
    assert attrs.evolve(found, peers=(attrs.evolve(peer, port=None),)) == attrs.evolve(least, **files)


def test_it_is_described(tmp_path: Path) -> None:
    role, words = description(settings(tmp_path, WITHOUT + DIAMETER))
    assert role == "mag" and "Diameter relay1.example.net at 198.51.100.53:5868" in words


def test_ports_follow_the_transport(tmp_path: Path) -> None:
    found = settings(tmp_path, WITHOUT + PLAIN).diameter
    assert found is not None
    assert found.peers[0].usual_port == 3868 and found.peers[0].address == ipv4("198.51.100.53")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WITHOUT + DIAMETER, []),
        (WITHOUT + PLAIN + "allow_plain_keys = true", []),
        (WITHOUT + DIAMETER + SECOND, []),
        (
            WITHOUT + '[mag.diameter]\nrealm = "example.net"\npeers = []\n',
            ["11:1: peers: add at least one [[mag.diameter.peers]]"],
        ),
        (
            WITHOUT + DIAMETER.replace('ca_file = "/etc/pmip/ca.pem"\n', ""),
            [
                "9:1: missing setting 'ca_file': over TLS nobody is believed but whom a CA in that file has signed"
            ],
        ),
        (
            WITHOUT + DIAMETER.replace("ca_file", 'key_file = "/etc/pmip/key.pem"\nca_file'),
            ["9:1: certificate_file and key_file are needed together, or none of them"],
        ),
        (
            WITHOUT + DIAMETER + 'transport = "tcp"\n',
            ['11:1: ca_file: no peer has transport = "tls"'],
        ),
        (
            WITHOUT + DIAMETER + "allow_plain_keys = true\n",
            ['16:1: allow_plain_keys: is for transport = "tcp"; over TLS keys are never in the clear'],
        ),
        (
            WITHOUT + DIAMETER + SECOND.replace("relay2", "RELAY1"),
            ["17:1: identity: the peer RELAY1.example.net is already used on line 14"],
        ),
        (
            WITHOUT + DIAMETER + SECOND.replace("54", "53"),
            ["18:1: address: the address 198.51.100.53:5868 is already used on line 15"],
        ),
        (
            WITHOUT + DIAMETER.replace("relay1.example.net", "relay 1"),
            ["14:1: identity: 'relay 1' is no name of a host or realm (such as aaa1.example.net)"],
        ),
        (
            WITHOUT.replace('"mag1"', '"the first MAG"') + DIAMETER,
            [
                "9:1: the identity of the MAG 'the first MAG' is no name of a host or realm (such as aaa1.example.net):"
                " add an identity of its own for Diameter"
            ],
        ),
        (
            MAG + DIAMETER,
            [
                "12:1: purposes: RADIUS servers are there for authentication, too: leave it to one of the protocols"
            ],
        ),
        (
            MAG + 'purposes = ["accounting"]\n' + DIAMETER,
            [
                "13:1: purposes: RADIUS servers are there for accounting, too: leave it to one of the protocols"
            ],
        ),
        (
            MAG
            + 'purposes = ["accounting"]\n'
            + DIAMETER.replace("realm", 'purposes = ["authentication"]\nrealm', 1),
            [],
        ),
        (
            WITHOUT + DIAMETER.replace("realm", 'purposes = ["accounting"]\nrealm', 1),
            ['10:1: purposes: without "authentication" nobody says who may be served'],
        ),
        (WITHOUT + DIAMETER + '[mag.local]\nusers = "users.toml"\n', []),
    ],
)
def test_mistakes(text: str, expected: list[str], tmp_path: Path) -> None:
    assert mistakes(tmp_path, text, USERS) == [f"mag.toml:{line}" for line in expected]


LMA_DIAMETER = DIAMETER.replace("[mag.", "[lma.").replace("[[mag.", "[[lma.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LMA + LMA_DIAMETER, []),
        (LMA + LMA_DIAMETER + "\n[lma.keys]\nlifetime = 600\n", []),
        (LMA.replace("[lma]", "[lma]\nworkers = 2") + LMA_DIAMETER, []),
    ],
)
def test_an_lma(text: str, expected: list[str], tmp_path: Path) -> None:
    assert mistakes(tmp_path, text) == [f"mag.toml:{line}" for line in expected]
