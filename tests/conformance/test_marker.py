"""The marker takes requirement ids and nothing else."""

import pytest

from tests.conformance import covers
from tests.conformance.families import all_ids, is_id


def test_a_marker_names_the_rules_of_its_test() -> None:
    mark = covers("P34", "RV16")
    assert (mark.name, mark.args) == ("covers", ("P34", "RV16"))


@pytest.mark.parametrize("ids", [(), ("P87",), ("P0",), ("p34",), ("P34", "Z1"), ("P34a",), ("MD5",)])
def test_what_is_no_requirement_is_refused_where_it_is_written(ids: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="no requirement ids"):
        covers(*ids)


def test_every_id_is_one_and_is_there_once() -> None:
    ids = all_ids()
    assert all(map(is_id, ids))
    assert len(set(ids)) == len(ids) == 420
