"""What an operator sees of the keys of mobile nodes at an LMA: that they are there, never what they are."""

import math
from collections.abc import Iterator

from pmip_tw.addresses import ipv4_text
from pmip_tw.agents.rows.tables import Row
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.keys.asking import Keys
from pmip_tw.lma.keys.fetched import KeyState, KnownKey
from pmip_tw.mobility.clock import Now


def key_rows(engine: LmaEngine, now: Now) -> list[Row]:
    """``source``: aaa or configuration; ``age``: seconds since AAA gave it; ``expires``: Unix time, after which it is
    asked for again, or forgotten; ``mags``: which may register the node with it (P29). None: nobody knows; "": never.
    """
    keys = engine.keys
    rows = [
        _row(nai, association.spi, "configuration", "ready", "", "", "")
        for nai, association in engine.associations
        if keys is None or (nai, association.spi) not in keys.fetched
    ]
    return rows if keys is None else [*rows, *_of_aaa(keys, now)]


def _of_aaa(keys: Keys, now: Now) -> Iterator[Row]:
    for known in keys.fetched:
        given = math.isfinite(known.given_at)
        age = max(0, round(now.monotonic - known.given_at)) if given else None
        mags = ", ".join(map(ipv4_text, known.mags))
        yield _row(known.nai, known.spi, "aaa", known.state.value, age, _expires(known, now), mags)
    for question, is_put in keys.asked():
        state = "asked" if is_put else "to be asked"
        yield _row(question.nai, question.spi, "aaa", state, "", "", ipv4_text(question.care_of_address))


def _expires(known: KnownKey, now: Now) -> object:
    return "" if known.state is KeyState.MISSING else round(now.wall + known.until - now.monotonic)


def _row(nai: bytes, spi: int, source: str, state: str, age: object, expires: object, mags: str) -> Row:
    return {
        "nai": nai.decode(errors="replace"),
        "spi": spi,
        "source": source,
        "state": state,
        "age": age,
        "expires": expires,
        "mags": mags,
    }
