"""``[[lma.mags]]`` and the further keys of mobile nodes: what they become, and every mistake with its line."""

from pathlib import Path

import pytest

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.config.load import load
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.secret import Secret
from pmip_tw.services.lma_parts import mags_of

from .files import LMA, mistakes

FA_HA = """
[[lma.mags]]
address = "198.51.100.10"
auth = "fa-ha"
spi = 8192
key = "text:the key of this MAG"
"""


def settings(directory: Path, text: str) -> LmaSettings:
    (directory / "lma.toml").write_text(text)
    loaded = load(directory / "lma.toml")
    assert isinstance(loaded, LmaSettings)
    return loaded


def test_without_any_nothing_is_looked_up(tmp_path: Path) -> None:
    assert mags_of(settings(tmp_path, LMA)) is None


def test_what_a_mag_becomes(tmp_path: Path) -> None:
    text = (
        LMA
        + FA_HA
        + 'realms = ["Example.NET"]\nalgorithm = "hmac-sha256"\nproxy = false\nbehind_nat = true\n'
    )
    mags = mags_of(settings(tmp_path, text))
    assert mags is not None
    [mag] = mags
    assert not mags.writes_draft03(Endpoint(mag.address, 434))
    assert (mag.address, mag.mode) == (ipv4("198.51.100.10"), AuthenticationMode.FA_HA)
    assert mag.associations == (
        SecurityAssociation(8192, Secret(b"the key of this MAG"), Algorithm.HMAC_SHA256),
    )
    assert (mag.realms, mag.proxy, mag.behind_nat) == ({b"example.net"}, False, True)


def test_old_equipment_is_read_as_it_writes(tmp_path: Path) -> None:
    mags = mags_of(settings(tmp_path, LMA + FA_HA + 'extension_style = "draft03"\n'))
    assert mags is not None and mags.writes_draft03(Endpoint(ipv4("198.51.100.10"), 434))


@pytest.mark.parametrize(("more", "spis"), [("", [8192]), ("previous_spi = 8191\n", [8192, 8191])])
def test_a_key_that_is_being_changed(more: str, spis: list[int], tmp_path: Path) -> None:
    """Under its own SPI it is an association; under the same one it is the previous of the new one."""
    text = LMA + FA_HA + 'previous_key = "text:the key before"\nprevious_algorithm = "keyed-md5"\n' + more
    [mag] = settings(tmp_path, text).mags
    old = SecurityAssociation(spis[-1], Secret(b"the key before"), Algorithm.KEYED_MD5)
    assert [one.spi for one in mag.associations] == spis
    assert old in (mag.associations[0].previous, mag.associations[-1])


def test_the_keys_of_a_node(tmp_path: Path) -> None:
    text = LMA + 'previous_key = "text:the key before"\naaa_spi = 2\naaa_key = "text:the key of AAA"\n'
    [node] = settings(tmp_path, text).mobile_nodes
    assert node.association(0).previous == SecurityAssociation(4096, Secret(b"the key before"))
    assert node.aaa is not None and node.aaa.spi == 2


TWICE = FA_HA.replace("10", "11") + "behind_nat = true\n" + FA_HA + "behind_nat = true\n"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (FA_HA.replace("spi = 8192\n", ""), ["17:1: auth: \"fa-ha\" needs 'spi', the same as at the MAG"]),
        (
            FA_HA.replace("fa-ha", "ipsec"),
            ['18:1: spi: belongs to auth = "fa-ha", not to "ipsec"', "19:1: key"],
        ),
        (
            FA_HA.replace('auth = "fa-ha"\n', ""),
            ['17:1: spi: belongs to auth = "fa-ha", not to "per-mn"', "18"],
        ),
        (FA_HA + "previous_spi = 8193\n", ["20:1: previous_spi: means nothing without 'previous_key'"]),
        (FA_HA + FA_HA, ["22:1: address: the MAG 198.51.100.10 is already used on line 16"]),
        (TWICE, ["25:1: spi: the SPI 8192 of a MAG behind a NAT is already used on line 18"]),
        (
            '[[lma.mags]]\naddress = "198.51.100.10"\nauth = "ipsec"\nbehind_nat = true\n',
            ['17:1: behind_nat: auth = "ipsec" is bound to the address of the MAG, which a NAT hides'],
        ),
        ("aaa_spi = 2\n", ["14:1: aaa_spi: means nothing without 'aaa_key'"]),
        (
            'aaa_spi = 3\naaa_key = "text:the key of AAA"\n',
            ["14:1: aaa_spi: must be 2 (CHAP) or from 256 to 4294967295, not 3"],
        ),
    ],
)
def test_mistakes(more: str, expected: list[str], tmp_path: Path) -> None:
    found = mistakes(tmp_path, LMA + more)
    assert len(found) == len(expected)
    for line, text in zip(found, expected, strict=True):
        assert line.startswith(f"mag.toml:{text}"), line
