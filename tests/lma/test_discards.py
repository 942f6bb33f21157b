"""Datagrams that get no answer, change nothing and are counted by reason."""

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.wire.extensions import FA_HA, MN_HA
from pmip_tw.wire.registration import RegistrationReply
from pmip_tw.wire.revocation import Revocation, RevocationAck
from tests.conformance import covers
from tests.lma.anchor import LMA, MAG1, Anchor, association


@pytest.fixture
def anchor() -> Anchor:
    anchor = Anchor()
    anchor.accept()
    return anchor


def test_nothing_at_all(anchor: Anchor) -> None:
    anchor.ignore("unknown-message-type", b"")


@pytest.mark.parametrize("kind", [0, 2, 4, 16, 255])
def test_unknown_message_types(anchor: Anchor, kind: int) -> None:
    anchor.ignore("unknown-message-type", bytes((kind,)) + anchor.datagram()[1:])


@covers("RV18")
def test_messages_that_are_for_a_mag(anchor: Anchor) -> None:
    """A reflected reply or revocation, authentic as it is (RV18)."""
    reply = RegistrationReply(code=0, lifetime=600, home_address=1, home_agent=LMA, identification=1)
    anchor.ignore("unknown-message-type", reply.encode(mn_ha=association(1)))
    revocation = Revocation(
        from_home_agent=True, home_address=1, home_domain=LMA, foreign_domain=MAG1, identifier=2**31
    )
    anchor.ignore("reflected", revocation.encode(mn_ha=association(1)))


@covers("E4", "H2")
def test_every_truncation(anchor: Anchor) -> None:
    whole = anchor.datagram()
    for length in range(1, len(whole)):
        assert anchor.hear(whole[:length]) == []
    reasons = {note.reason for note in anchor.notes if note.name == "message-discarded"}
    assert reasons == {"truncated", "no-authenticator"}


@covers("H4")
def test_a_shorter_authenticator_never_verifies(anchor: Anchor) -> None:
    """Length and digest agree with each other, not with the algorithm."""
    asked = anchor.request()
    whole = bytearray(asked.encode(mn_ha=association(1)))
    del whole[-4:]
    whole[-12 - 4 - 1] -= 4
    [answer] = anchor.hear(bytes(whole))
    assert RegistrationReply.decode(answer.datagram).code == 131


@covers("E1", "H2")
@pytest.mark.parametrize("kind", [1, 33 + 2, 46, 49, 127])
def test_unknown_extensions_that_are_not_skippable(anchor: Anchor, kind: int) -> None:
    unknown = bytes((kind, 2, 0, 0))
    anchor.ignore("unrecognized-non-skippable", anchor.datagram(unknown=(unknown,)))


@covers("E2", "E6")
def test_unknown_extensions_that_are_skippable(anchor: Anchor) -> None:
    """E2, and pads."""
    anchor.accept(unknown=(b"\xfa\x02\x00\x00", b"\x00"))


@covers("A1", "H3")
def test_no_authenticator(anchor: Anchor) -> None:
    anchor.ignore("no-authenticator", anchor.request().encode())


@covers("H3")
def test_no_name(anchor: Anchor) -> None:
    anchor.ignore("no-association", anchor.datagram(nai=b""))


@covers("E5")
@pytest.mark.parametrize("kind", [MN_HA, FA_HA])
def test_two_authenticators_of_a_kind(anchor: Anchor, kind: int) -> None:
    """E5."""
    extension = bytes((kind, 20)) + bytes(20)
    copies = 1 if kind == MN_HA else 2
    anchor.ignore("repeated-authenticator", anchor.datagram() + copies * extension)


@covers("E5")
def test_of_other_extensions_the_first_one_wins(anchor: Anchor) -> None:
    """E5: a second name, covered or not, is no reason to discard."""
    second = b"\x83\x0fmn2@example.net"
    assert anchor.accept(1, trailing=(second,)).nai == b"mn1@example.net"


@covers("H6")
def test_an_fa_ha_extension_of_a_mag_we_share_no_key_with(anchor: Anchor) -> None:
    """H6."""
    payload = anchor.request().encode(mn_ha=association(1), fa_ha=association(2))
    assert "H6" in anchor.ignore("no-association", payload).cause


@covers("A2")
def test_but_not_on_a_deregistration(anchor: Anchor) -> None:
    """A2: nothing is discarded for it there."""
    [answer] = anchor.hear(anchor.request(lifetime=0).encode(mn_ha=association(1), fa_ha=association(2)))
    assert RegistrationReply.decode(answer.datagram).code == 1
    assert anchor.binding() is None


@covers("RV20")
def test_acknowledgments_of_nothing(anchor: Anchor) -> None:
    ack = RevocationAck(home_address=ipv4("10.1.0.2"), identifier=7)
    anchor.ignore("no-such-revocation", ack.encode(mn_ha=association(1)))
    anchor.ignore("truncated", ack.encode()[:11])


def test_what_is_said_of_a_stranger_names_no_node(anchor: Anchor) -> None:
    """A trace by NAI must not fill with what anybody may claim."""
    assert anchor.ignore("no-association", anchor.datagram(nai=b"mn1@example.com")).nai == ""
