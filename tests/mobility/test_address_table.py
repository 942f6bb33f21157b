"""Values by address."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.mobility.address_table import AddressTable

ADDRESSES = st.sampled_from([0, 1, 255, 256, 511, 0x0A010002, 0x0A0100FF, 0xFFFFFFFF]).map(Ipv4)


@given(st.lists(st.tuples(st.sampled_from("sgp"), ADDRESSES, st.integers())))
def test_it_is_a_table(steps: list[tuple[str, Ipv4, int]]) -> None:
    model: dict[Ipv4, int] = {}
    table: AddressTable[int] = AddressTable()
    for verb, address, value in steps:
        if verb == "s":
            model[address] = table[address] = value
        elif verb == "g":
            assert table.get(address) == model.get(address)
            assert (address in table) == (address in model)
        else:
            assert table.pop(address) == model.pop(address, None)
        assert len(table) == len(model)
        assert dict(table.items()) == model
        free = next(one for one in itertools.count(address) if one not in model)
        assert table.next_free(address) == free


def test_what_changes_while_it_is_looked_through() -> None:
    table: AddressTable[str] = AddressTable()
    for text in ("10.1.0.2", "10.2.0.2"):
        table[ipv4(text)] = text
    for address, _ in table.items():
        table.pop(address)
        table[ipv4("10.3.0.2")] = "new"
    assert dict(table.items()) == {ipv4("10.3.0.2"): "new"}
