"""Decision records are named by number: each number is there once, without gaps, and is that of the title."""

import re
from pathlib import Path

RECORDS = sorted((Path(__file__).resolve().parents[2] / "docs" / "decisions").glob("*.md"))


def test_each_number_is_there_once_and_none_is_missing() -> None:
    assert [record.name[:5] for record in RECORDS] == [
        f"{number:04}-" for number in range(1, len(RECORDS) + 1)
    ]


def test_the_title_has_the_number_of_the_file() -> None:
    for record in RECORDS:
        title = record.read_text().partition("\n")[0]
        assert re.match(rf"# {int(record.name[:4])}\. ", title), record.name
