"""Requests of the usual form are proven before they are read: they get what reading them first would get."""

from collections.abc import Callable
from typing import Any

import pytest

from pmip_tw.lma.mags import KnownMag
from pmip_tw.lma.registration.proving import Prover
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelRequest
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from pmip_tw.wire.renewal import form_in, layout_of
from tests.conformance import covers
from tests.lma.anchor import FIRST_ADDRESS, MAG1, MAG2, NAT, Anchor, association, reply_in

KEY = SecurityAssociation(0x2000, Secret(b"key of the first MAG"))
WRONG = SecurityAssociation(association(1).spi, Secret(b"another key"))
OTHER_SPI = SecurityAssociation(association(1).spi + 99, Secret(b"another key"))

Writes = Callable[[Anchor], bytes]

REQUESTS: dict[str, Writes] = {
    "new": lambda anchor: anchor.datagram(2, MAG1),
    "everything usual": lambda anchor: anchor.datagram(
        2, MAG1, access_technology=4, udp_tunnel=UdpTunnelRequest(), revocation=RevocationSupport(5)
    ),
    "renewal": lambda anchor: anchor.datagram(1, MAG1, home_address=FIRST_ADDRESS),
    "handover": lambda anchor: anchor.datagram(1, MAG2, home_address=FIRST_ADDRESS),
    "de-registration": lambda anchor: anchor.datagram(1, MAG1, home_address=FIRST_ADDRESS, lifetime=0),
    "old": lambda anchor: anchor.datagram(1, MAG1, skew=-9.0),
    "another home agent": lambda anchor: anchor.datagram(1, MAG1, home_agent=NAT),
    "forged": lambda anchor: anchor.request(1, MAG2).encode(mn_ha=WRONG),
    "forged with an SPI that it has not": lambda anchor: anchor.request(1, MAG2).encode(mn_ha=OTHER_SPI),
    "of nobody": lambda anchor: anchor.request(1, MAG2, nai=b"who@knows").encode(mn_ha=WRONG),
    "of no name": lambda anchor: (
        anchor.datagram(1, MAG1, nai=b"x")[:25] + bytes(1) + anchor.datagram(1)[-22:]
    ),
    "cut short": lambda anchor: anchor.datagram(2, MAG1)[:-3],
    "longer": lambda anchor: anchor.datagram(2, MAG1) + bytes(1),
    "type and length": lambda anchor: bytes((1, 0)),
}


def outcome(anchor: Anchor, payload: bytes, source: Any) -> tuple[object, ...]:
    return anchor.hear(payload, source), anchor.notes, anchor.state(), anchor.journal


@covers("H3", "H4", "H5")
@pytest.mark.parametrize("source", [MAG1, NAT])
@pytest.mark.parametrize("mags", [(), (KnownMag(address=MAG1, mode=AuthenticationMode.PER_MN),)])
@pytest.mark.parametrize("written", REQUESTS)
def test_they_get_what_reading_them_would_get(
    monkeypatch: pytest.MonkeyPatch, written: str, mags: tuple[KnownMag, ...], source: Any
) -> None:
    outcomes = []
    for read_first in (False, True):
        anchor = Anchor(mags=mags)
        anchor.accept(1, MAG1)
        payload = REQUESTS[written](anchor)
        if read_first:
            monkeypatch.setattr(Prover, "by_octets", lambda *arguments: None)
        outcomes.append(outcome(anchor, payload, source))
        monkeypatch.undo()
    assert outcomes[0] == outcomes[1]


@covers("H4")
def test_of_a_flood_only_what_is_answered_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    anchor = Anchor()
    forged, strange = (REQUESTS[name](anchor) for name in ("forged", "of nobody"))
    [answer] = anchor.hear(forged)
    assert reply_in(answer, 1).code == 131
    monkeypatch.setattr(RegistrationRequest, "decode", None)
    assert anchor.hear(forged) == [] == anchor.hear(strange)
    assert [note.reason for note in anchor.notes[-2:]] == ["bad-authenticator", "no-association"]


@covers("H4", "N27")
@pytest.mark.parametrize("source", [MAG1, NAT])
def test_a_mag_with_a_key_is_answered_with_it(source: Any) -> None:
    """Also behind a NAT, where only the care-of address tells whose the request is."""
    anchor = Anchor(mags=[KnownMag(address=MAG1, mode=AuthenticationMode.FA_HA, associations=(KEY,))])
    request = anchor.request(1, MAG1, udp_tunnel=UdpTunnelRequest())
    [answer] = anchor.hear(request.encode(mn_ha=WRONG), source)
    reply = RegistrationReply.decode(answer.datagram)
    assert reply.code == 131 and reply.fa_ha is not None and reply.fa_ha.spi == KEY.spi


@covers("H4")
def test_of_what_is_not_proven_nothing_is_remembered() -> None:
    """However many ways to write a request there are."""
    anchor = Anchor()
    known = form_in.cache_info().currsize
    for size in range(1, 30):
        covered = anchor.datagram(2)[:-21] + bytes((4 + size,)) + association(2).spi.to_bytes(4, "big")
        assert layout_of(covered + bytes(size)) is not None
        anchor.hear(covered + bytes(size))
    assert form_in.cache_info().currsize == known
