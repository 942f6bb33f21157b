"""What may be forgotten is remembered within bounds."""

from pmip_tw.mag.newest import Newest


def test_what_was_set_longest_ago_makes_room() -> None:
    newest: Newest[str, int] = Newest(2)
    newest["one"], newest["two"] = 1, 2
    newest["one"] = 3
    newest["four"] = 4
    assert dict(newest) == {"one": 3, "four": 4}
