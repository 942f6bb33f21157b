"""A Secret comes out by ``reveal`` only."""

import copy
import json
import logging
import pickle
import sys
import traceback
from io import StringIO

import attrs
import msgspec
import pytest
from twisted.logger import formatEvent

from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.mn_aaa import AaaAssociation
from pmip_tw.secret import Secret, parse_key

OCTETS = b"nobody may see these octets"
SECRET = Secret(OCTETS)


@attrs.frozen(slots=True)
class Holder:
    """As settings and profiles hold one."""

    secret: Secret


HOLDERS = (
    SECRET,
    Holder(SECRET),
    {"secret": SECRET},
    (SECRET,),
    SecurityAssociation(300, SECRET),
    AaaAssociation(300, SECRET),
)


def is_hidden(text: str) -> bool:
    return not any(part in text for part in (OCTETS.decode(), OCTETS.hex(), "nobody", OCTETS.hex(":")))


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
def test_it_is_not_printed_whoever_holds_it(holder: object) -> None:
    for text in (
        repr(holder),
        str(holder),
        f"{holder}",
        f"{holder!r:>60}",
        f"{holder!a}",
        f"{holder} {holder!r}",
        ascii(holder),
        formatEvent({"log_format": "{what} {what!r}", "what": holder}),
    ):
        assert text
        assert is_hidden(text)


@pytest.mark.parametrize("specification", ["s", ">30", "x"])
def test_no_format_shows_it(specification: str) -> None:
    try:
        text = format(SECRET, specification)
    except (TypeError, ValueError) as error:
        text = str(error)
    assert is_hidden(text)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_not_pickled(protocol: int) -> None:
    for holder in (SECRET, Holder(SECRET), SecurityAssociation(300, SECRET)):
        with pytest.raises(TypeError, match="keys do not leave the process"):
            pickle.dumps(holder, protocol)


def test_it_is_not_copied_or_taken_apart() -> None:
    for way in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="keys do not leave the process"):
            way(SECRET)
    with pytest.raises(TypeError):
        vars(SECRET)
    for way in (bytes, list, iter, memoryview):
        with pytest.raises(TypeError):
            way(SECRET)  # type: ignore[call-overload]
    assert attrs.asdict(Holder(SECRET)) == {"secret": SECRET}


def test_it_is_no_json_and_no_messagepack() -> None:
    for way in (json.dumps, msgspec.json.encode, msgspec.msgpack.encode):
        with pytest.raises(TypeError) as error:
            way({"secret": SECRET})
        assert is_hidden(str(error.value))


def test_it_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("pmip").warning("%s %r %s", SECRET, SECRET, {"secret": SECRET})
    assert caplog.text
    assert is_hidden(caplog.text)


def test_no_crash_shows_it_with_the_values_of_every_frame() -> None:
    def compare(held: Secret) -> None:
        assert held == Secret(b"another"), f"{held} is wrong"

    try:
        compare(SECRET)
    except AssertionError:
        kind, error, trace = sys.exc_info()
        told = StringIO()
        for line in traceback.TracebackException(kind, error, trace, capture_locals=True).format():  # type: ignore[arg-type]
            told.write(line)
    assert "held" in told.getvalue()
    assert is_hidden(told.getvalue())


def test_what_is_wrong_with_a_key_is_said_without_it() -> None:
    for text in (OCTETS.decode(), "hex:" + OCTETS.hex() + "0", "base64:" + OCTETS.decode()):
        with pytest.raises(ValueError) as error:
            parse_key(text)
        assert is_hidden(str(error.value))


def test_it_is_compared_and_revealed() -> None:
    assert Secret(OCTETS) == SECRET
    assert Secret(b"another") != SECRET
    assert SECRET != OCTETS
    assert SECRET.reveal() == OCTETS
    assert len(SECRET) == len(OCTETS)
