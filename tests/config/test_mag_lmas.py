"""What a MAG shares with its LMAs: [[mag.lmas]], the settings that need it, users without keys, and the own address."""

from pathlib import Path

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.config.load import load
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.services.mag import policy_of
from pmip_tw.services.mag_aaa import profile_of
from tests.config.files import MAG, USERS, mistakes
from tests.config.test_mag_mistakes import LOCAL_MAG
from tests.conformance import covers

OWN = """
[[mag.lmas]]
address = "192.0.2.1"
spi = 5000
key = "text:0123456789abcdef"
"""


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (OWN, []),
        (OWN.replace("spi = 5000\n", ""), ["15:1: key: needs spi beside it"]),
        (OWN.replace('key = "text:0123456789abcdef"\n', ""), ["15:1: spi: needs key beside it"]),
        (OWN.partition("spi")[0], ['13:1: auth = "fa-ha" needs spi and key']),
        (OWN.partition("spi")[0] + 'auth = "ipsec"', []),
        (
            OWN + 'auth = "ipsec"',
            [
                '15:1: spi: auth = "ipsec" has none, the kernel\'s policies protect UDP 434',
                '16:1: key: auth = "ipsec" has none, the kernel\'s policies protect UDP 434',
            ],
        ),
        (OWN + 'auth = "none"', ["17:1: auth: 'none' is none of per-mn, fa-ha, ipsec"]),
        (OWN + OWN, ["19:1: address: the LMA 192.0.2.1 is already used on line 14"]),
    ],
)
def test_associations(added: str, expected: list[str], tmp_path: Path) -> None:
    assert mistakes(tmp_path, MAG + added) == [f"mag.toml:{text}" for text in expected]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (['encapsulation = "gre"', 'gre_key = "lma"', "gre_key_with_d = true"], []),
        (
            ['gre_key = "own"', 'coa_mode = "fa"'],
            [
                '2:1: gre_key: only encapsulation = "gre" has keys',
                '2:1: gre_key: with coa_mode = "fa" it needs a key of this MAG in [[mag.lmas]], which protects it',
            ],
        ),
        (
            ['gre_key = "own"', 'encapsulation = "gre"'],
            [
                '2:1: gre_key: with coa_mode = "colocated" it needs gre_key_with_d = true, or set coa_mode = "fa"',
            ],
        ),
        (
            ["dynamic_home_agent = true"],
            ["2:1: dynamic_home_agent: default_lmas must name an LMA to ask first"],
        ),
        (["dynamic_home_agent = true", 'default_lmas = ["192.0.2.1"]'], []),
        (["liveness = true", "liveness_interval = 5"], []),
        (["liveness_interval = 5"], ["2:1: liveness_interval: means nothing without liveness = true"]),
        (
            ["liveness = true", "liveness_interval = 0"],
            ["3:1: liveness_interval: must be from 1 to 3600, not 0"],
        ),
        (['on_revoke = "reboot"'], ["2:1: on_revoke: 'reboot' is none of none, dhcp_nak, l2_disconnect"]),
        (
            ['uplink = "eth0"'],
            ["2:1: uplink: stands in place of address, which is read from that interface: keep one of them"],
        ),
    ],
)
def test_what_needs_what(lines: list[str], expected: list[str], tmp_path: Path) -> None:
    text = MAG.replace("[mag]\n", "[mag]\n" + "\n".join(lines) + "\n")
    assert mistakes(tmp_path, text) == [f"mag.toml:{line}" for line in expected]


@covers("N3", "RV2", "T5")
@pytest.mark.parametrize("wish", ['gre_key = "lma"', 'nat_traversal = "force"', "require_revocation = true"])
@pytest.mark.parametrize(
    ("own", "protected"),
    [
        ("", False),
        (OWN.partition("spi")[0] + 'auth = "per-mn"', False),
        (OWN + 'auth = "per-mn"', True),
        (OWN, True),
    ],
)
def test_what_a_foreign_agent_adds_needs_a_key_of_its_own(
    wish: str, own: str, protected: bool, tmp_path: Path
) -> None:
    """Nothing would say at run time that it is left out."""
    text = MAG.replace("[mag]\n", f'[mag]\nencapsulation = "gre"\ncoa_mode = "fa"\n{wish}\n') + own
    name = wish.partition(" ")[0]
    needs = 'with coa_mode = "fa" it needs a key of this MAG in [[mag.lmas]], which protects it'
    assert mistakes(tmp_path, text) == ([] if protected else [f"mag.toml:4:1: {name}: {needs}"])


def test_an_address_or_an_interface_that_has_it(tmp_path: Path) -> None:
    without = MAG.replace('address = "198.51.100.10"\n', "", 1)
    assert mistakes(tmp_path, without) == [
        "mag.toml:1:1: missing setting 'address', the care-of address, or 'uplink', the interface that has it"
    ]
    assert mistakes(tmp_path, without.replace("[mag]\n", '[mag]\nuplink = "eth0"\n')) == []


KEYLESS = USERS.partition("spi")[0]
DEFAULT_LMA = LOCAL_MAG.replace("[mag]\n", '[mag]\ndefault_lmas = ["192.0.2.1"]\n')


@pytest.mark.parametrize(
    ("mag", "users", "expected"),
    [
        (LOCAL_MAG + OWN, KEYLESS, []),
        (
            LOCAL_MAG,
            KEYLESS,
            ["1:1: no spi and key, and no association of the MAG's own ([[mag.lmas]]) with 192.0.2.1"],
        ),
        (
            LOCAL_MAG + OWN + 'auth = "per-mn"',
            KEYLESS,
            ["1:1: no spi and key, and no association of the MAG's own ([[mag.lmas]]) with 192.0.2.1"],
        ),
        (
            LOCAL_MAG + OWN,
            KEYLESS + 'lmas = ["192.0.2.1"]',
            ["5:1: lmas: stands in place of lma: keep one of them"],
        ),
        (
            LOCAL_MAG,
            USERS.replace('lma = "192.0.2.1"\n', ""),
            ["1:1: no lma, and [mag] default_lmas names none for users without"],
        ),
        (DEFAULT_LMA, USERS.replace('lma = "192.0.2.1"\n', ""), []),
        (DEFAULT_LMA + OWN, KEYLESS.replace('lma = "192.0.2.1"\n', ""), []),
        (
            DEFAULT_LMA,
            KEYLESS.replace('lma = "192.0.2.1"\n', ""),
            ["1:1: no spi and key, and no association of the MAG's own ([[mag.lmas]]) with 192.0.2.1"],
        ),
        (
            DEFAULT_LMA.replace("192.0.2.1", "192.0.2.x"),
            KEYLESS.replace('lma = "192.0.2.1"\n', ""),
            [],  # the mistake is in the other file
        ),
        (LOCAL_MAG, USERS + "aaa_spi = 2", ["7:1: aaa_spi: needs aaa_key beside it"]),
        (
            LOCAL_MAG,
            USERS + 'aaa_spi = 3\naaa_key = "text:0123456789"',
            ["7:1: aaa_spi: must be 2 (CHAP) or from 256 to 4294967295, not 3"],
        ),
        (
            LOCAL_MAG,
            USERS
            + 'home_address = "10.1.0.5"\n'
            + USERS.replace("00:01", "00:02").replace("mn1@example.net", "mn1@example.org")
            + 'home_address = "10.1.0.5"\n',
            [],  # another realm, another address space
        ),
    ],
)
def test_users(mag: str, users: str, expected: list[str], tmp_path: Path) -> None:
    found = [text for text in mistakes(tmp_path, mag, users) if text.startswith("users.toml")]
    assert [text.removeprefix("users.toml:") for text in found] == expected


def test_what_the_settings_become(tmp_path: Path) -> None:
    (tmp_path / "mag.toml").write_text(
        LOCAL_MAG.replace("[mag]\n", '[mag]\nencapsulation = "minimal"\nunknown_hoa = "ones"\n') + OWN
    )
    (tmp_path / "users.toml").write_text(
        KEYLESS.replace('lma = "192.0.2.1"', 'lmas = ["192.0.2.1"]\naaa_spi = 2\naaa_key = "text:0123456789"')
        + 'home_address = "10.1.0.5"\nsession_timeout = 600\n'
    )
    settings = load(tmp_path / "mag.toml")
    assert isinstance(settings, MagSettings)
    policy, profile = policy_of(settings), profile_of(settings.users[0])
    assert policy.encapsulation.label == "minimal" and policy.unknown_home_address == 0xFFFFFFFF
    [own] = policy.associations
    assert own.mode is AuthenticationMode.FA_HA and own.fa_ha is not None and own.fa_ha.spi == 5000
    assert profile.mn_ha is None and profile.lmas == (own.address,)
    assert profile.mn_aaa is not None and profile.mn_aaa.spi == 2
    assert (profile.home_address, profile.session_timeout) == (ipv4("10.1.0.5"), 600)
    assert "0123456789" not in repr(policy) + repr(profile) + repr(settings)
