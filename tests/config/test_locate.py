"""Places of settings in every way that TOML lets them be written."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.config.locate import START, Positions, locate


@pytest.mark.parametrize(
    ("text", "path", "place"),
    [
        ("a = 1", ("a",), (1, 1)),
        ("# c\n\n  a = 1", ("a",), (3, 3)),
        ("[t]\na = 1", ("t",), (1, 1)),
        ("[t]\na = 1", ("t", "a"), (2, 1)),
        ("[t.u]\na = 1", ("t",), (1, 1)),
        ("[ t . 'u' ]\na = 1", ("t", "u", "a"), (2, 1)),
        ("t.u.a = 1", ("t", "u"), (1, 3)),
        ("t.u.a = 1", ("t", "u", "a"), (1, 5)),
        ("[[t]]\na = 1\n[[t]]\na = 2", ("t", 1), (3, 1)),
        ("[[t]]\na = 1\n[[t]]\na = 2", ("t", 1, "a"), (4, 1)),
        ("[[t]]\n[t.u]\na = 1\n[[t]]\n[t.u]\na = 2", ("t", 1, "u", "a"), (6, 1)),
        ("[[t]]\n[[t.u]]\n[[t.u]]\na = 2", ("t", 0, "u", 1, "a"), (4, 1)),
        ('"quo ted" = 1', ("quo ted",), (1, 1)),
        ('"quo\\u0074ed" = 1', ("quoted",), (1, 1)),
        ('a = """\nb = 1\n"""\nb = 2', ("b",), (4, 1)),
        ('a = """x""\\""""\nb = 2', ("b",), (2, 1)),
        ('a = """two at the end:"""""\nb = 2', ("b",), (2, 1)),
        ("a = '''\nb = 1\n[c]'''\nb = 2", ("b",), (4, 1)),
        ("a = 'C:\\'\nb = 2", ("b",), (2, 1)),
        ('a = "# no comment" # b = 1\nb = 2', ("b",), (2, 1)),
        ("a = { b = 1, c = { d = 2 } }", ("a", "c", "d"), (1, 20)),
        ("a = { b.c = 1 }", ("a", "b", "c"), (1, 9)),
        ("a = [ 1,\n  2, # two ]\n  3 ]\nb = 1", ("a", 2), (3, 3)),
        ("a = [ 1,\n  2, # two ]\n  3 ]\nb = 1", ("b",), (4, 1)),
        ("a = [ { b = 1 },\n { b = 2 } ]", ("a", 1, "b"), (2, 4)),
        ("a = [[1, 2], [\n3]]", ("a", 1, 0), (2, 1)),
        ("a = [\n]\nb = 1", ("b",), (3, 1)),
        ("a = 1979-05-27 07:32:00\nb = 1", ("b",), (2, 1)),
        ("a = 1\r\nb = 1\r\n", ("b",), (2, 1)),
    ],
)
def test_place(text: str, path: tuple[str | int, ...], place: tuple[int, int]) -> None:
    tomllib.loads(text)
    assert locate(text)[path] == place


def test_what_has_no_place_is_where_its_table_is() -> None:
    positions = Positions(locate("\n[t]\na = 1"))
    assert positions.of(("t", "missing")) == (2, 1)
    assert positions.of(("elsewhere", 3)) == START


def _paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for step, inner in steps for found in [(*path, step), *_paths(inner, (*path, step))]]


_scalars = st.sampled_from(["1", "-0.5e3", "true", '"x # y"', "'[z]'", '"""a\n"b" """', "1979-05-27", "nan"])
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[ " + ",\n ".join(items) + "]")
        | st.lists(inner, max_size=3).map(
            lambda items: "{" + ", ".join(f"k{i}.'q' = {item}" for i, item in enumerate(items)) + "}"
        )
    ),
    max_leaves=8,
)


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "[{0}]", "[[{0}]]", "[x.{0}]", "[[s.{0}]]"]), _values), max_size=6
    )
)
def test_every_value_of_any_document_has_a_place(parts: list[tuple[str, str]]) -> None:
    """Whatever tomllib finds in a document, the locator finds too."""
    text = "\n".join(
        f"{header.format(f't{n}')}\nname{n} = {value}" for n, (header, value) in enumerate(parts)
    )
    found = locate(text)
    for path in _paths(tomllib.loads(text)):
        assert path in found
