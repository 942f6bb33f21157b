"""The order in which addresses that are held are given away (P80)."""

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import Ipv4
from pmip_tw.lma.addresses.holds import Holds
from tests.conformance import covers

STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "end", "discard"]), st.integers(1, 5), st.sampled_from(b"ab"))
)


@covers("P80")
@given(STEPS)
def test_whatever_happens_the_oldest_is_first_and_one_that_was_ended_before_it(
    steps: list[tuple[str, int, int]],
) -> None:
    holds = Holds()
    model: OrderedDict[Ipv4, tuple[bytes, float]] = OrderedDict()
    last: dict[bytes, Ipv4] = {}
    for now, (verb, number, letter) in enumerate(steps):
        address, owner = Ipv4(number), bytes((letter,))
        if verb == "add":
            model.pop(address, None)
            model[address] = (owner, now + 3)
            holds.add(address, owner, now + 3)
            last = {other: its for other, its in last.items() if its != address} | {owner: address}
        elif verb == "end":
            holds.end(address, now)
            if address in model and model[address][1] > now:
                model[address] = (model[address][0], now)
                model.move_to_end(address, last=False)
        else:
            holds.discard(address)
            if model.pop(address, None) is not None:
                last = {other: its for other, its in last.items() if its != address}
        assert list(holds) == list(model)
        assert holds.first == next(iter(model), None)
        assert {one: holds.of(one) for one in (b"a", b"b")} == {one: last.get(one) for one in (b"a", b"b")}
        for one, (whose, until) in model.items():
            hold = holds.get(one)
            assert one in holds and hold is not None and (hold.owner, hold.until) == (whose, until)
