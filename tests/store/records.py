"""Records for tests of the store, which keeps any."""

from typing import ClassVar

from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.records import JournalFormat, Record
from pmip_tw.secret import Secret


class Held(Record, tag=1, kw_only=True):
    """Somebody has something until then."""

    about: ClassVar[str] = "holding"
    identity: ClassVar[tuple[str, ...]] = ("owner",)

    owner: bytes
    address: Ipv4
    deadline: float
    key: Secret | None = None
    peers: tuple[Ipv4, ...] = ()


class Released(Record, tag=2, kw_only=True):
    """Not any more."""

    about: ClassVar[str] = "holding"
    identity: ClassVar[tuple[str, ...]] = ("owner",)
    ends: ClassVar[bool] = True

    owner: bytes


class Holder(Record, tag=1, kw_only=True):
    """The outline of Held."""

    about: ClassVar[str] = "holding"
    identity: ClassVar[tuple[str, ...]] = ("owner",)

    owner: bytes


FORM = JournalFormat(role="lma", version=1, kinds=(Held, Released), outline=Holder)

KEY = Secret(b"nobody may see me")


def held(number: int, deadline: float = 1e9) -> Held:
    """The record of the holder with that number."""
    return Held(
        owner=b"mn%d@example.net" % number, address=Ipv4(0x0A010000 + number), deadline=deadline, key=KEY
    )


def released(number: int) -> Released:
    return Released(owner=b"mn%d@example.net" % number)
