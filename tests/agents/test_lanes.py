"""What is about one owner, or about one home address, happens one after the other; everything else does not wait."""

from pmip_tw.addresses import Ipv4
from pmip_tw.agents.lanes import Lanes
from pmip_tw.lma.registration.commitment import Commit
from pmip_tw.mobility.effects import Remove
from pmip_tw.mobility.tunnels import AnchorKey


def commit(owner: bytes, *addresses: int) -> Commit:
    changes = tuple(Remove(AnchorKey(Ipv4(address))) for address in addresses)
    return Commit(owner, (), None, None, changes=changes)


def test_who_has_nothing_to_do_with_it_does_not_wait() -> None:
    lanes = Lanes()
    assert not lanes.wait(commit(b"one", 1))
    lanes.begin(commit(b"one", 1))
    assert not lanes.wait(commit(b"two", 2))
    assert b"one" in lanes and b"two" not in lanes


def test_the_same_owner_and_the_same_address_wait_in_order() -> None:
    lanes = Lanes()
    lanes.begin(commit(b"one", 1))
    behind = [commit(b"one", 2), commit(b"two", 1), commit(b"three", 2), commit(b"two")]
    assert all(map(lanes.wait, behind))
    assert lanes.end(b"one") == behind
    assert not lanes and not lanes.wait(commit(b"two", 1))


def test_who_waits_for_two_waits_for_both() -> None:
    lanes = Lanes()
    lanes.begin(commit(b"one", 1))
    lanes.begin(commit(b"two", 2))
    behind_two, both = commit(b"two"), commit(b"one", 2)
    assert lanes.wait(behind_two) and lanes.wait(both)
    assert lanes.end(b"two") == () and lanes and b"two" in lanes
    assert set(map(id, lanes.end(b"one"))) == {id(behind_two), id(both)}
    assert not lanes
