"""WiMAX's keys against values that others have computed (vectors/wimax.json)."""

import json
from pathlib import Path

import pytest

from pmip_tw.aaa.key_hierarchy import MobilityKeys, fa_ha
from pmip_tw.addresses import ipv4
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.secret import Secret
from tests.conformance import covers

FILE = json.loads((Path(__file__).parent.parent / "vectors" / "wimax.json").read_text())
GIVEN, WANTED = FILE["inputs"], FILE["expected_spec"]
HOME_AGENT, NAI = ipv4(GIVEN["HA_IPv4"]), GIVEN["MN_NAI"].encode()


@pytest.fixture
def keys() -> MobilityKeys:
    return MobilityKeys.of(Secret(bytes.fromhex(GIVEN["EMSK_hex"])))


def test_all_keys_and_spis_of_an_emsk(keys: MobilityKeys) -> None:
    assert keys.root.reveal().hex() == WANTED["MIP_RK_hex"]
    assert keys.spi == WANTED["MIP_SPI"] == WANTED["FA_RK_SPI"]
    assert (keys.spi_of_client, keys.spi_of_proxy) == (WANTED["SPI_CMIP4"], WANTED["SPI_PMIP4"])
    assert keys.client_key(HOME_AGENT, NAI).reveal().hex() == WANTED["MN_HA_CMIP4_hex"]
    assert keys.proxy_key(HOME_AGENT, NAI).reveal().hex() == WANTED["MN_HA_PMIP4_hex"]
    assert keys.fa_root().reveal().hex() == WANTED["FA_RK_hex"]


def test_keys_are_of_one_node_at_one_lma(keys: MobilityKeys) -> None:
    own = keys.proxy_key(HOME_AGENT, NAI)
    assert own != keys.proxy_key(ipv4("192.0.2.2"), NAI)
    assert own != keys.proxy_key(HOME_AGENT, b"mn2@example.net")
    assert own != keys.client_key(HOME_AGENT, NAI)


@covers("AA13")
def test_a_key_between_agents_from_the_root_key_of_the_lma() -> None:
    given = FILE["fa_ha"]
    found = fa_ha(
        Secret(bytes.fromhex(given["HA_RK_hex"])),
        ipv4(given["HA_IPv4"]),
        ipv4(given["FA_CoAv4"]),
        given["SPI"],
    )
    assert found.reveal().hex() == given["FA_HA_hex"]


def test_a_request_signed_with_a_derived_key(keys: MobilityKeys) -> None:
    given = FILE["rrq_with_derived_key"]
    association = SecurityAssociation(keys.spi_of_proxy, keys.proxy_key(HOME_AGENT, NAI))
    covered = bytes.fromhex(given["input_hex"])
    assert covered[-4:] == association.spi.to_bytes(4, "big")
    assert association.sign(covered).hex() == given["authenticator_hex"]


@pytest.mark.parametrize(
    ("drawn", "spi"), [(0, 256), (255, 511), (256, 256), (0xFFFFFFFF, 0xFFFFFFFD), (0xFFFFFFFD, 0xFFFFFFFD)]
)
def test_spis_that_are_reserved_or_have_no_successors_are_not_used(
    drawn: int, spi: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pmip_tw.aaa.key_hierarchy as room

    digest = room.hmac.digest

    def drawing(key: bytes, data: bytes, how: object) -> bytes:
        return drawn.to_bytes(4, "big") + bytes(28) if data == b"SPI CMIP PMIP" else digest(key, data, how)  # type: ignore[arg-type]

    monkeypatch.setattr(room.hmac, "digest", drawing)
    keys = MobilityKeys.of(Secret(bytes(64)))
    assert keys.spi == spi
    assert keys.spi_of_proxy <= 0xFFFFFFFF


def test_what_is_too_short_to_be_an_emsk() -> None:
    with pytest.raises(ValueError, match="at least 64 octets") as error:
        MobilityKeys.of(Secret(b"short"))
    assert "short" not in str(error.value).replace("too short", "")


def test_nothing_of_it_is_shown(keys: MobilityKeys) -> None:
    assert WANTED["MIP_RK_hex"] not in repr(keys)
