"""``emsk`` in place of spi and key: MAG and LMA derive the same keys from it, as WiMAX has them."""

import json
from pathlib import Path

import pytest

from pmip_tw.config.load import load
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.services.mag_aaa import profile_of
from tests.conformance import covers

from .files import LMA, MAG, USERS, mistakes

FILE = json.loads((Path(__file__).parent.parent / "vectors" / "wimax.json").read_text())
GIVEN, WANTED = FILE["inputs"], FILE["expected_spec"]
EMSK = f'emsk = "hex:{GIVEN["EMSK_hex"]}"\n'
SPI_AND_KEY = 'spi = 4096\nkey = "text:0123456789abcdef"\n'
OF_THE_LMA = LMA.replace("192.0.2.1", GIVEN["HA_IPv4"]).replace("mn1@example.net", GIVEN["MN_NAI"])
OF_THE_MAG = USERS.replace("192.0.2.1", GIVEN["HA_IPv4"]).replace("mn1@example.net", GIVEN["MN_NAI"])
LOCAL = MAG[: MAG.index("[[mag.radius")] + '[mag.local]\nusers = "users.toml"\n'


@covers("AA12")
def test_mag_and_lma_derive_the_same_key_and_that_of_the_vectors(tmp_path: Path) -> None:
    (tmp_path / "lma.toml").write_text(OF_THE_LMA.replace(SPI_AND_KEY, EMSK))
    (tmp_path / "mag.toml").write_text(LOCAL)
    (tmp_path / "users.toml").write_text(OF_THE_MAG.replace(SPI_AND_KEY, EMSK))
    lma, mag = load(tmp_path / "lma.toml"), load(tmp_path / "mag.toml")
    assert isinstance(lma, LmaSettings) and isinstance(mag, MagSettings)
    [(nai, at_lma)] = lma.associations
    at_mag = profile_of(mag.users[0]).mn_ha
    assert at_mag is not None and nai == GIVEN["MN_NAI"].encode()
    assert at_lma.spi == at_mag.spi == WANTED["SPI_PMIP4"]
    covered = b"what is signed" + at_mag.spi.to_bytes(4, "big")
    assert at_lma.verify(covered, at_mag.sign(covered))
    given = FILE["rrq_with_derived_key"]
    assert at_mag.sign(bytes.fromhex(given["input_hex"])).hex() == given["authenticator_hex"]
    assert GIVEN["EMSK_hex"] not in repr(lma) + repr(mag)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (EMSK + 'key = "text:0123456789abcdef"\n', ["12:1: key: follows from emsk: keep one of them"]),
        (EMSK + "spi = 4096\n", ["12:1: spi: follows from emsk: keep one of them"]),
        ('emsk = "hex:00112233"\n', ["11:1: emsk: is too short (4 of at least 64 octets)"]),
        ("", ["9:1: missing setting 'key'", "9:1: missing setting 'spi'"]),
    ],
)
def test_mistakes_at_an_lma(written: str, found: list[str], tmp_path: Path) -> None:
    assert mistakes(tmp_path, LMA.replace(SPI_AND_KEY, written)) == [f"mag.toml:{one}" for one in found]


@pytest.mark.parametrize("other", [EMSK, f'spi = {WANTED["SPI_PMIP4"]}\nkey = "text:0123456789abcdef"\n'])
def test_an_lma_has_one_key_of_that_spi(other: str, tmp_path: Path) -> None:
    text = LMA.replace(SPI_AND_KEY, EMSK)
    node = text[text.index("[[lma.mobile_nodes]]") :]
    [found] = mistakes(tmp_path, text + node.replace(EMSK, other))
    assert f"with SPI {WANTED['SPI_PMIP4']}" in found


def test_beside_servers_it_might_be_for_another_lma(tmp_path: Path) -> None:
    users = USERS.replace(SPI_AND_KEY, EMSK)
    text = "the key that follows is for one LMA, and servers may name another: give spi and key"
    both = MAG + '[mag.local]\nusers = "users.toml"\n'
    assert mistakes(tmp_path, both, users) == [f"users.toml:5:1: emsk: {text}"]


@pytest.mark.parametrize(
    ("users", "found"),
    [
        (
            USERS + EMSK,
            [
                "5:1: spi: follows from emsk: keep one of them",
                "6:1: key: follows from emsk: keep one of them",
            ],
        ),
        (
            USERS.replace(SPI_AND_KEY, EMSK).replace(
                'lma = "192.0.2.1"', 'lmas = ["192.0.2.1", "192.0.2.2"]'
            ),
            ["5:1: emsk: the key that follows is for one LMA: name it by lma"],
        ),
    ],
)
def test_mistakes_among_users(users: str, found: list[str], tmp_path: Path) -> None:
    assert mistakes(tmp_path, LOCAL, users) == [f"users.toml:{one}" for one in found]
