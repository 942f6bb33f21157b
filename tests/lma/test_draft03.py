"""A MAG of the draft's time: type 47 without a length, in a Mode and a Method extension (draft 5.1, 5.2)."""

import attrs
import pytest

from pmip_tw.errors import WireError
from pmip_tw.lma.mags import KnownMag
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_fields import BY_FA_HA
from pmip_tw.wire.registration import RegistrationRequest
from tests.conformance import covers
from tests.lma.anchor import MAG1, MAG2, Anchor, association, nai

KEY = SecurityAssociation(0x2000, Secret(b"key of the first MAG"))
OLD = KnownMag(address=MAG1, mode=AuthenticationMode.FA_HA, associations=(KEY,), draft03=True)
MODE = bytes.fromhex("2f01")
METHOD = bytes.fromhex("2f010001")


def test_what_it_writes() -> None:
    """Mode and method, wherever in the message, and never with a length."""
    asked = Anchor().request(per_node=BY_FA_HA, draft03=True, access_technology=2)
    octets = asked.encode(fa_ha=KEY)
    assert MODE + METHOD in octets
    read = RegistrationRequest.decode(octets, draft03=True)
    assert (read.per_node, read.nai, read.access_technology) == (BY_FA_HA, nai(1), 2)
    assert read.encode() == octets


def test_mode_alone() -> None:
    octets = Anchor().request(draft03=True, access_technology=2).encode(mn_ha=association(1))
    read = RegistrationRequest.decode(octets, draft03=True)
    assert (read.per_node, read.access_technology) == (None, 2)
    assert read.encode() == octets


def test_every_truncation_is_a_value_or_a_wire_error() -> None:
    octets = Anchor().request(per_node=BY_FA_HA, draft03=True).encode(fa_ha=KEY)
    for length in range(len(octets)):
        try:
            RegistrationRequest.decode(octets[:length], draft03=True)
        except WireError as error:
            assert error.offset <= length


@covers("P25")
def test_it_is_answered_in_its_own_style() -> None:
    anchor = Anchor(mags=[OLD])
    [answer] = anchor.hear(anchor.request(per_node=BY_FA_HA, draft03=True).encode(fa_ha=KEY))
    assert MODE + METHOD in answer.datagram
    code = answer.datagram[1]
    assert code == 1 and anchor.binding() is not None
    assert KEY.sign(answer.datagram[:-16]) == answer.datagram[-16:]


@pytest.mark.parametrize("per_node", [BY_FA_HA, None])
def test_with_the_keys_of_its_nodes_the_method_says_nothing(per_node: tuple[int, bytes] | None) -> None:
    """The draft demands the extension in every request."""
    anchor = Anchor(mags=[attrs.evolve(OLD, mode=AuthenticationMode.PER_MN, associations=())])
    [answer] = anchor.hear(anchor.request(per_node=per_node, draft03=True).encode(mn_ha=association(1)))
    assert answer.datagram[1] == 1


@covers("E4")
def test_from_anybody_else_it_is_malformed() -> None:
    anchor = Anchor(mags=[OLD])
    old = anchor.request(1, MAG2, per_node=BY_FA_HA, draft03=True).encode(mn_ha=association(1))
    assert anchor.hear(old, MAG2) == []
    assert anchor.notes[-1].reason in ("malformed", "truncated", "unrecognized-non-skippable")


def test_and_the_published_form_is_malformed_from_it() -> None:
    anchor = Anchor(mags=[OLD])
    assert anchor.hear(anchor.request(per_node=BY_FA_HA).encode(fa_ha=KEY)) == []
    assert anchor.state() == ([], {})
