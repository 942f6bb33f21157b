"""All vectors of registration.json: decode, verify, re-encode to the same octets."""

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.errors import UnrecognizedNonSkippable
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.secret import Secret
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from tests.conformance import covers
from tests.vectors import vectors

VECTORS = {vector["name"]: vector for vector in vectors("registration")}
UNKNOWN_NON_SKIPPABLE = "rrq-unknown-nonskippable"
DECODABLE = sorted(set(VECTORS) - {UNKNOWN_NON_SKIPPABLE})
SEEN_WHOLE = [name for name in DECODABLE if "mip.life" in VECTORS[name].get("tshark_4.0.17_fields", {})]

ALGORITHMS = {
    "HMAC-MD5": Algorithm.HMAC_MD5,
    "HMAC-SHA1": Algorithm.HMAC_SHA1,
    "keyed-MD5 prefix+suffix": Algorithm.KEYED_MD5,
    "keyed-MD5 prefix+suffix, SPI not covered": Algorithm.KEYED_MD5_RFC2002,
}
FIELD_OF = {"32": "mn_ha", "34": "fa_ha", "36/1": "mn_aaa"}


def decode(octets: bytes) -> RegistrationRequest | RegistrationReply:
    return RegistrationRequest.decode(octets) if octets[0] == 1 else RegistrationReply.decode(octets)


def octets_of(name: str) -> bytes:
    return bytes.fromhex(VECTORS[name]["udp_payload_hex"])


def association(authentication: dict[str, str]) -> SecurityAssociation:
    return SecurityAssociation(
        int(authentication["spi"], 16),
        Secret(bytes.fromhex(authentication["key_hex"])),
        ALGORITHMS[authentication["algorithm"]],
    )


def test_there_are_nineteen_and_tshark_saw_most() -> None:
    assert len(VECTORS) == 19
    assert len(SEEN_WHOLE) >= 16


@pytest.mark.parametrize("name", DECODABLE)
def test_round_trip_gives_the_same_octets(name: str) -> None:
    assert decode(octets_of(name)).encode() == octets_of(name)


@pytest.mark.parametrize("name", DECODABLE)
def test_every_authenticator_verifies_and_no_other_does(name: str) -> None:
    octets = octets_of(name)
    message = decode(octets)
    for authentication in VECTORS[name]["authentication"]:
        found = getattr(message, FIELD_OF[authentication["extension"]])
        keyed = association(authentication)
        assert found.spi == keyed.spi
        assert keyed.verify(octets[: found.covered], found.value)
        damaged = bytes([octets[0] ^ 1]) + octets[1 : found.covered]
        assert not keyed.verify(damaged, found.value)
        assert not keyed.verify(octets[: found.covered], found.value[:-1])


@pytest.mark.parametrize("name", DECODABLE)
def test_signing_anew_gives_the_same_octets(name: str) -> None:
    """What an encoder with the keys makes of the fields is what the independent implementation made."""
    message = decode(octets_of(name))
    keys = {
        FIELD_OF[authentication["extension"]]: association(authentication)
        for authentication in VECTORS[name]["authentication"]
    }
    message.mn_ha = message.fa_ha = message.mn_aaa = None
    assert message.encode(**keys) == octets_of(name)


@pytest.mark.parametrize("name", SEEN_WHOLE)
def test_fixed_fields_as_tshark_decodes_them(name: str) -> None:
    shown = VECTORS[name]["tshark_4.0.17_fields"]
    message = decode(octets_of(name))
    assert message.lifetime == int(shown["mip.life"])
    assert message.home_address == ipv4(shown["mip.homeaddr"])
    assert message.home_agent == ipv4(shown["mip.haaddr"])
    if "mip.nai" in shown:
        assert message.nai.decode() == shown["mip.nai"]
    if isinstance(message, RegistrationRequest):
        assert message.care_of_address == ipv4(shown["mip.coa"])
        assert message.flags == int(shown["mip.flags"], 16)
    else:
        assert message.code == int(shown["mip.code"])


@covers("E1")
def test_an_unknown_non_skippable_extension_discards_the_message() -> None:
    with pytest.raises(UnrecognizedNonSkippable):
        RegistrationRequest.decode(octets_of(UNKNOWN_NON_SKIPPABLE))


@covers("E2")
def test_unknown_skippable_extension_and_pad_are_kept_as_they_are() -> None:
    message = decode(octets_of("rrq-unknown-skippable-and-pad"))
    assert [extension[0] for extension in message.unknown] == [200, 0]


def test_nat_request_has_every_proxy_identifier() -> None:
    message = decode(octets_of("rrq-colocated-nat-pmip"))
    assert message.nai == b"mn1@example.net"
    assert [subtype for subtype, _ in message.identifiers] == [1, 2, 3]
    assert message.access_technology == 3
    assert message.udp_tunnel is not None and message.udp_tunnel.encapsulation == 4
    assert not message.agent_part


@covers("N3")
def test_agent_extensions_behind_mn_ha_are_told_from_those_before() -> None:
    message = decode(octets_of("rrq-fa-style-nat-forced"))
    assert message.agent_part == {144}
    assert message.udp_tunnel is not None and message.udp_tunnel.forced


@pytest.mark.parametrize(("form", "drawn"), [("long", True), ("short", False)])
def test_both_forms_of_the_dynamic_home_agent_extension(form: str, drawn: bool) -> None:
    found = decode(octets_of(f"rrq-dynamic-ha-{form}-form")).dynamic_home_agent
    assert found is not None
    assert (found.subtype, found.drawn_form) == (1, drawn)
