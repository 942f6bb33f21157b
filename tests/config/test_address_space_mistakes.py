"""Mistakes in what an LMA offers: address spaces, pools, redirects, encapsulations."""

from pathlib import Path

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.config.load import load
from pmip_tw.config.settings.lma import LmaSettings
from tests.conformance import covers

from .files import LMA, NODE_2, mistakes

BLUE = """
[[lma.domains]]
name = "blue"
device = "mip-blue"
table = 100

[[lma.pools]]
prefix = "10.1.0.0/24"
realms = ["blue.example"]
domain = "blue"
"""
"""Lines 15 to 23 behind LMA, whose pool is for all realms."""


def with_blue(old: str = "", new: str = "") -> str:
    assert old in BLUE
    return LMA + BLUE.replace(old, new, 1)


@covers("P85")
def test_prefixes_overlap_across_domains(tmp_path: Path) -> None:
    assert mistakes(tmp_path, LMA + BLUE) == []


@covers("P85")
@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('domain = "blue"\n', "", ["21:1: prefix: 10.1.0.0/24 overlaps 10.1.0.0/24 on line 6"]),
        (
            'domain = "blue"',
            'domain = "blu"',
            ["23:1: domain: no [[lma.domains]] has the name 'blu' - did you mean 'blue'?"],
        ),
        ('"mip-blue"', '"mip0"', ["17:1: device: mip0 is that of the main address space"]),
        (
            "100",
            "254",
            [
                "18:1: table: must be a routing table (1 to 252, or 256 to 4294967295), not 254",
            ],
        ),
        (
            "100",
            f"0x{'f' * 5000}",
            [
                "18:1: table: must be a routing table (1 to 252, or 256 to 4294967295), not such a large number"
            ],
        ),
        ("table = 100\n", "", ["15:1: missing setting 'table'"]),
        (
            "[[lma.pools]]",
            '[[lma.domains]]\nname = "blue"\ndevice = "mip-blue"\ntable = 100\n\n[[lma.pools]]',
            [
                "21:1: name: the name 'blue' is already used on line 16",
                "22:1: device: the device mip-blue is already used on line 17",
                "23:1: table: the table 100 is already used on line 18",
            ],
        ),
        (
            'realms = ["blue.example"]\n',
            "",
            [
                "20:1: a pool without realms in the domain 'blue', but that on line 5 is in the main address space:"
                " give one of them realms"
            ],
        ),
    ],
)
def test_one_change_of_a_domain(old: str, new: str, expected: list[str], tmp_path: Path) -> None:
    assert mistakes(tmp_path, with_blue(old, new)) == [f"mag.toml:{line}" for line in expected]


@covers("P85")
def test_a_realm_in_two_address_spaces(tmp_path: Path) -> None:
    other = '[[lma.pools]]\nprefix = "10.2.0.0/24"\nrealms = ["BLUE.example"]\n'
    assert mistakes(tmp_path, LMA + BLUE + other) == [
        "mag.toml:24:1: a pool of the realm 'blue.example' in the main address space, but that on line 20 is in"
        " the domain 'blue': a realm has one address space"
    ]


@covers("P85")
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.1.0.50", []),
        ("10.3.0.50", ["home_address: 10.3.0.50 is in none of the pools of the domain 'blue'"]),
        ("10.1.0.1", ["home_address: 10.1.0.1 is the gateway address of 10.1.0.0/24"]),
    ],
)
def test_a_fixed_address_is_of_its_own_domain(address: str, expected: list[str], tmp_path: Path) -> None:
    """10.1.0.50 is another node's in the main address space."""
    main = '[[lma.pools]]\nprefix = "10.3.0.0/24"\n'
    node = NODE_2.replace("mn2@example.net", "mn2@blue.example") + f'home_address = "{address}"\n'
    assert mistakes(tmp_path, LMA + BLUE + main + node) == [f"mag.toml:30:1: {line}" for line in expected]


@covers("P70")
@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ('gateway = "10.2.0.1"', "8:1: gateway: 10.2.0.1 is not the address of a machine in 10.1.0.0/24"),
        ('gateway = "10.1.0.255"', "8:1: gateway: 10.1.0.255 is not the address of a machine in 10.1.0.0/24"),
        ('gateway = "10.1.0.50"', "14:1: home_address: 10.1.0.50 is the gateway address of 10.1.0.0/24"),
        ('dns = ["10.9.0.1", "10.9.0.2", "10.9.0.3"]', "8:1: dns: has 3 elements; there is room for 2"),
        ('dns = ["0.0.0.0"]', "8:8: dns[0]: 0.0.0.0 is not the address of a machine"),
    ],
)
def test_what_nodes_are_told(setting: str, expected: str, tmp_path: Path) -> None:
    text = LMA.replace('exclude = ["10.1.0.9"]', f'exclude = ["10.1.0.9"]\n{setting}')
    assert mistakes(tmp_path, text) == [f"mag.toml:{expected}"]


def test_the_gateway_moves_and_frees_the_first_host(tmp_path: Path) -> None:
    text = LMA.replace("exclude", 'gateway = "10.1.0.254"\nexclude').replace('"10.1.0.50"', '"10.1.0.1"')
    assert mistakes(tmp_path, text) == []
    loaded = load(tmp_path / "mag.toml")
    assert isinstance(loaded, LmaSettings)
    [pool] = loaded.pools
    assert pool.gateway == ipv4("10.1.0.254")


@covers("DY7")
@pytest.mark.parametrize(
    ("redirects", "expected"),
    [
        ('[[lma.redirects]]\nrealms = ["a"]\nhome_agent = "192.0.2.2"\n', []),
        (
            '[[lma.redirects]]\nrealms = ["a"]\nhome_agent = "192.0.2.1"\n',
            ["18:1: home_agent: 192.0.2.1 is this LMA, to which nobody needs to be redirected"],
        ),
        (
            '[[lma.redirects]]\nrealms = ["a", "A"]\nhome_agent = "192.0.2.2"\n',
            ["17:16: realms[1]: 'A' is already redirected on line 17"],
        ),
        ('[[lma.redirects]]\nhome_agent = "192.0.2.2"\n', ["16:1: missing setting 'realms'"]),
    ],
)
def test_redirects(redirects: str, expected: list[str], tmp_path: Path) -> None:
    text = LMA.replace("[lma]\n", "[lma]\ndynamic_home_agent = true\n") + "\n" + redirects
    assert mistakes(tmp_path, text) == [f"mag.toml:{line}" for line in expected]


@covers("DY7")
def test_redirects_that_nobody_would_be_told(tmp_path: Path) -> None:
    redirects = '[[lma.redirects]]\nrealms = ["a"]\nhome_agent = "192.0.2.2"\n'
    expected = "redirects are for nodes that ask for any home agent: set dynamic_home_agent = true"
    assert mistakes(tmp_path, f"{LMA}\n{redirects}") == [f"mag.toml:15:1: {expected}"]


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("encapsulations = []", "encapsulations: must have at least one element"),
        ('encapsulations = ["gre", "gre"]', "encapsulations: has 'gre' twice"),
        (
            'encapsulations = ["ipip"]',
            "encapsulations[0]: 'ipip' is none of ip-in-ip, gre, minimal - did you mean 'ip-in-ip'?",
        ),
        ("max_bindings = 0", "max_bindings: must be from 1 to 16, not 0"),
        ('binding_key = "mac"', "binding_key: 'mac' is none of nai, nai+tech"),
        (
            'dynamic_ha_format = "drawn"',
            "dynamic_ha_format: 'drawn' is none of long, short",
        ),
    ],
)
def test_what_is_offered(setting: str, text: str, tmp_path: Path) -> None:
    [found] = mistakes(tmp_path, LMA.replace("[lma]\n", f"[lma]\n{setting}\n"))
    assert found.split(": ", 1)[1] == text
