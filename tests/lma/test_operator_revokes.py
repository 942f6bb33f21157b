"""``pmipctl revoke``: an operator ends a binding (RV21, RV27)."""

import pytest

from pmip_tw.wire.extension_values import RevocationSupport
from pmip_tw.wire.registration import REVERSE_TUNNEL, SIMULTANEOUS
from pmip_tw.wire.revocation import RevocationAck
from tests.conformance import covers
from tests.lma.anchor import FIRST_ADDRESS, MAG1, MAG2, Anchor, association, revocations

SUPPORT = RevocationSupport(77, inform=True)


@covers("RV21", "RV27")
def test_the_binding_ends_and_the_mag_is_told() -> None:
    anchor = Anchor()
    anchor.accept(1, MAG1, revocation=SUPPORT)
    anchor.accept(2, MAG1, revocation=SUPPORT)
    [revocation] = revocations(anchor.revoke(1))
    assert (revocation.home_address, revocation.foreign_domain) == (FIRST_ADDRESS, MAG1)
    assert anchor.binding(1) is None and anchor.binding(2) is not None
    assert [key.home_address for key in anchor.installed] != [FIRST_ADDRESS]
    assert anchor.names()[-2:] == ["binding-revoked", "revocation-sent"]


@covers("RV21")
def test_it_may_register_again_at_once() -> None:
    """And what is still under way of the revocation does not end that (RV26, RV6)."""
    anchor = Anchor()
    anchor.accept(1, MAG1, revocation=SUPPORT)
    [revocation] = revocations(anchor.revoke(1))
    again = anchor.accept(1, MAG1, revocation=SUPPORT)
    assert again.home_address == FIRST_ADDRESS
    assert again.revocation is not None and again.revocation.timestamp >= revocation.identifier
    assert anchor.pass_time(60) == []


@covers("RV23")
def test_repeated_until_acknowledged() -> None:
    anchor = Anchor()
    anchor.accept(1, MAG1, revocation=SUPPORT)
    anchor.revoke(1)
    sent = anchor.pass_time(4)
    assert len(sent) == 2
    [*_, last] = revocations(sent)
    ack = RevocationAck(home_address=last.home_address, identifier=last.identifier)
    anchor.hear(ack.encode(mn_ha=association(1)))
    assert anchor.pass_time(60) == []


@covers("RV1")
def test_where_it_was_not_agreed_upon_only_the_binding_ends() -> None:
    anchor = Anchor()
    anchor.accept(1, MAG1)
    assert anchor.revoke(1) == []
    assert anchor.state() == ([], {})


def test_of_nobody() -> None:
    assert Anchor().revoke(1) == []


@covers("RV22")
@pytest.mark.parametrize("agreed", [True, False])
def test_the_node_is_told_if_that_was_agreed(agreed: bool) -> None:
    anchor = Anchor(revocation_inform=agreed)
    anchor.accept(1, MAG1, revocation=SUPPORT)
    [revocation] = revocations(anchor.revoke(1))
    assert revocation.inform is agreed


@covers("RV22")
def test_it_is_not_told_that_it_has_moved() -> None:
    anchor = Anchor(revocation_inform=True)
    anchor.accept(1, MAG1, revocation=SUPPORT)
    anchor.accept(1, MAG2, revocation=SUPPORT)
    [revocation] = revocations(anchor.sent)
    assert revocation.inform is False


@covers("RV36")
@pytest.mark.parametrize(("agreed", "told"), [(True, {"tries": 1, "informed": True}), (False, {"tries": 1})])
def test_what_the_acknowledgment_says_of_it(agreed: bool, told: dict[str, object]) -> None:
    """An I bit that was not asked for says nothing."""
    anchor = Anchor(revocation_inform=agreed)
    anchor.accept(1, MAG1, revocation=SUPPORT)
    [revocation] = revocations(anchor.revoke(1))
    ack = RevocationAck(inform=True, home_address=revocation.home_address, identifier=revocation.identifier)
    anchor.hear(ack.encode(mn_ha=association(1)))
    assert anchor.notes[-1].details == told


@covers("L3", "RV21")
def test_all_of_several_bindings() -> None:
    anchor = Anchor(max_bindings=3)
    for mag in (MAG1, MAG2):
        assert anchor.ask(1, mag, revocation=SUPPORT, flags=SIMULTANEOUS | REVERSE_TUNNEL).code == 0
    sent = revocations(anchor.revoke(1))
    assert {revocation.foreign_domain for revocation in sent} == {MAG1, MAG2}
    assert anchor.state() == ([], {})


@covers("RV3")
def test_an_lma_that_insists_on_revocation() -> None:
    """129 for who could not be revoked; leaving is free."""
    anchor = Anchor(require_revocation=True)
    assert "RV3" in anchor.deny(129).cause
    assert "RV3" in anchor.deny(129, revocation=SUPPORT, agent_part=frozenset({137}), flags=2).cause
    anchor.accept(revocation=SUPPORT)
    anchor.release()
