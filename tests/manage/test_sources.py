"""Discarded datagrams by source and reason."""

from pmip_tw.interfaces import IObserver
from pmip_tw.manage.sources import Sources
from pmip_tw.mobility.observations import Observation
from tests.manage.observations import WALL, accepted, at


def discarded(source: str, reason: str = "bad-authenticator") -> Observation:
    return Observation(name="message-discarded", reason=reason, details={"source": source})


def test_counts_by_source_address_and_reason() -> None:
    """Another port is the same sender; the most frequent stands first."""
    sources = Sources()
    assert IObserver.providedBy(sources)
    sources.observe(discarded("198.51.100.9:434", "truncated"), at(0))
    for second in range(3):
        sources.observe(discarded(f"198.51.100.9:{434 + second}"), at(second))
    sources.observe(discarded("203.0.113.7:434"), at(9))
    sources.observe(accepted(), at(10))
    assert sources.rows() == [
        {"source": "198.51.100.9", "reason": "bad-authenticator", "count": 3, "last": WALL + 2},
        {"source": "198.51.100.9", "reason": "truncated", "count": 1, "last": WALL},
        {"source": "203.0.113.7", "reason": "bad-authenticator", "count": 1, "last": WALL + 9},
    ]


def test_a_flood_of_forged_addresses_pushes_out_the_longest_silent() -> None:
    """Memory has a bound, and whoever goes on stays in the table."""
    sources = Sources(most=10)
    sources.observe(discarded("192.0.2.77:434"), at(0))
    for number in range(100):
        sources.observe(discarded("198.51.100.9:434"), at(number))
        sources.observe(discarded(f"203.0.113.{number}:434"), at(number))
    rows = sources.rows()
    assert len(rows) == 10
    assert (rows[0]["source"], rows[0]["count"]) == ("198.51.100.9", 100)
    assert "192.0.2.77" not in {row["source"] for row in rows}


def test_without_a_source_it_is_counted_all_the_same() -> None:
    sources = Sources()
    sources.observe(Observation(name="message-discarded", reason="malformed"), at(0))
    assert [row["source"] for row in sources.rows()] == ["unknown"]
