"""Where extensions stand: what an authenticator covers, who added what, and what is believed of the rest."""

import pytest

from pmip_tw.errors import Malformed, UnrecognizedNonSkippable
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.authentication import append_signature
from pmip_tw.wire.extension_values import UdpTunnelReply
from pmip_tw.wire.registration import RegistrationRequest
from tests.conformance import covers
from tests.wire.raw_messages import (
    CRITICAL,
    FA_HA,
    MN_AAA,
    MN_HA,
    NAI,
    VENDOR,
    acknowledgment,
    reply,
    request,
    revocation,
)


class TestPlaces:
    def test_a_nai_that_no_authenticator_covers_names_nobody(self) -> None:
        """RFC 2794 2: it stands before MN-HA."""
        for message in (request, reply, revocation, acknowledgment):
            with pytest.raises(Malformed, match="behind"):
                message(MN_HA, NAI)
        with pytest.raises(Malformed, match="behind"):
            request(MN_AAA, NAI)

    @covers("P10")
    @pytest.mark.parametrize(
        "extension",
        [b"\x2f\x01\0\x01\x01", b"\x93\x02\x04\x01", b"\x93\x07\x01abcdef", b"\x8b\x05\x01" + bytes(4)],
    )
    def test_what_needs_protection_and_has_none(self, extension: bytes) -> None:
        with pytest.raises(Malformed, match="no authenticator covers"):
            request(NAI, MN_HA, extension)
        assert request(NAI, MN_HA, extension, FA_HA).agent_part == {extension[0]}
        assert request(NAI, extension, MN_HA).agent_part == frozenset()

    @covers("P10")
    def test_one_that_does_not_count_needs_it_as_well(self) -> None:
        technology = b"\x93\x02\x04\x01"
        with pytest.raises(Malformed, match="no authenticator covers"):
            request(NAI, technology, MN_HA, technology)
        found = request(NAI, technology, MN_HA, technology, FA_HA)
        assert (found.repeated, found.agent_part) == ((147,), {147})

    @pytest.mark.parametrize(
        "extension", [b"\x93\x02\x04\x01", b"\x90\x06\0\0\x80\x04\0\0", b"\x89\x06" + bytes(6), NAI]
    )
    def test_nothing_behind_fa_ha_is_believed(self, extension: bytes) -> None:
        """It is the last one (RFC 5944 3.7.2.2, 3.8.3.3): nothing covers what follows."""
        found = request(FA_HA, extension)
        assert (found.unknown, found.trailing) == ((), ())
        assert (found.nai, found.access_technology, found.udp_tunnel, found.revocation) == (
            b"",
            None,
            None,
            None,
        )

    @pytest.mark.parametrize("extension", [CRITICAL, b"\x30\0\0\x04" + bytes(4), b"\x2f\x01\0\x01\x01"])
    def test_nothing_behind_fa_ha_is_critical(self, extension: bytes) -> None:
        with pytest.raises(Malformed, match="behind FA-HA"):
            request(NAI, FA_HA, extension)

    def test_which_agent_extensions_stand_behind_mn_ha(self) -> None:
        """N2, N3: there only FA-HA protects them."""
        parts = (
            b"\x30\0\0\x04" + bytes(4),
            b"\x90\x06\0\0\x80\x04\0\0",
            b"\x89\x06" + bytes(6),
            b"\x91\x02\x02x",
        )
        assert request(NAI, MN_HA, *parts, FA_HA).agent_part == {48, 137, 144, 145}
        assert request(NAI, *parts, MN_HA, FA_HA).agent_part == frozenset()

    def test_critical_vendor_extensions_are_kept_apart_by_who_sent_them(self) -> None:
        """RFC 3115 3: the home agent answers 140 or 141."""
        found = request(NAI, CRITICAL, VENDOR, MN_HA, CRITICAL, FA_HA)
        assert (found.unknown, found.trailing) == ((CRITICAL, VENDOR), (CRITICAL,))
        assert found.encode().endswith(CRITICAL + VENDOR + MN_HA + CRITICAL + FA_HA)

    def test_mn_aaa_alone_divides_a_request_as_mn_ha_does(self) -> None:
        found = request(NAI, VENDOR, MN_AAA, CRITICAL, b"\x89\x06" + bytes(6))
        assert (found.unknown, found.trailing, found.agent_part) == ((VENDOR,), (CRITICAL,), {137})

    @pytest.mark.parametrize("message", [revocation, acknowledgment])
    def test_critical_vendor_extensions_of_revocations(self, message) -> None:
        """Nothing can be answered there: what must be understood and is not discards the message (E1)."""
        with pytest.raises(UnrecognizedNonSkippable, match="critical"):
            message(NAI, CRITICAL, MN_HA)
        assert message(NAI, VENDOR, MN_HA).unknown == (VENDOR,)

    @pytest.mark.parametrize("extension", [b"\x2c\x06" + bytes(6), b"\x2d\x02\0\x44"], ids=["44", "45"])
    def test_what_only_replies_have(self, extension: bytes) -> None:
        with pytest.raises(UnrecognizedNonSkippable, match="the other message"):
            request(NAI, MN_HA, extension)

    def test_what_only_requests_have(self) -> None:
        """144 is skippable; the tunnel is what 44 says."""
        found = reply(NAI, b"\x90\x06\0\0\x80\x04\0\0", b"\x2c\x06" + bytes(6), MN_HA)
        assert found.udp_tunnel == UdpTunnelReply()
        assert found.unknown == (b"\x90\x06\0\0\x80\x04\0\0",)


class TestWhatAnAuthenticatorCovers:
    @covers("E6")
    @pytest.mark.parametrize(
        "extensions",
        [
            (b"\0\0", NAI, b"\0"),
            (b"\x89\x08\0\0\0\0\0\x07zz", NAI),
            (b"\xc8\x02\x20\x14", NAI),
            (NAI, b"\x90\x06\0\xff\x1f\x04\0\0"),
            (NAI, b"\x93\x02\x04\x01", b"\x93\x02\x04\x02"),
        ],
        ids=["pads", "a later version", "unknown first", "reserved bits", "repeated"],
    )
    def test_the_octets_that_arrived(self, extensions: tuple[bytes, ...]) -> None:
        """Encoded again, each of these is another message."""
        key = SecurityAssociation(0x1000, Secret(b"sixteen octets.."))
        octets = append_signature(b"\x01" + bytes(23) + b"".join(extensions), 32, key) + b"\0"
        found = RegistrationRequest.decode(octets)
        assert found.mn_ha is not None
        assert found.mn_ha.covered == len(octets) - 17
        assert key.verify(octets[: found.mn_ha.covered], found.mn_ha.value)
        assert found.encode() != octets

    @covers("E6")
    def test_each_covers_those_before_it(self) -> None:
        found = request(NAI, MN_HA, MN_AAA, VENDOR, FA_HA)
        places = [one.covered for one in (found.mn_ha, found.mn_aaa, found.fa_ha) if one is not None]
        assert places == [24 + 5 + 6, 24 + 5 + 22 + 8, 24 + 5 + 22 + 24 + 11 + 6]
