"""What an LMA's journal keeps, so that a restart loses nothing (docs/decisions/0011).

Instants are monotonic seconds of the process that wrote them. ``owner``: see ``owners.py``. The newest record about a
thing is the truth about it.
"""

from typing import ClassVar

from msgspec.structs import replace

from pmip_tw.addresses import Ipv4, Mac
from pmip_tw.mobility.records import JournalFormat, Record


class _LmaRecord(Record, frozen=True):
    """``instants``: its fields that are monotonic."""

    instants: ClassVar[tuple[str, ...]] = ()


class Bound(_LmaRecord, tag=1, frozen=True):
    """A registration was accepted: the octets of its request, and what the LMA decided about it.

    What is not here is read out of the request again. ``source_...``: where it came from; ``remote`` ... ``key_out``:
    the tunnel, see ``Tunnel``. ``own_timestamp``: what the reply's 137 had, None if it had none; ``inform``: its I bit.
    ``others``: the owner's bindings at other MAGs, newest first (L3). ``filter_ids``: its filters (AA25), if any.
    ``limits``: session_ends, idle_timeout, interim_interval of its ``Limits``, if AAA has said any.
    """

    about = "binding"
    identity = ("owner",)
    instants = ("deadline", "moved_at")

    owner: bytes
    request: bytes
    home_address: Ipv4
    domain: str
    source_address: Ipv4
    source_port: int
    remote: Ipv4
    remote_port: int
    encapsulation: int
    key_in: int | None
    key_out: int | None
    lifetime: int
    deadline: float
    moved_at: float
    own_timestamp: int | None
    inform: bool
    others: tuple["Bound", ...] = ()
    filter_ids: tuple[str, ...] | None = None
    limits: tuple[float | None, int, int] | None = None


class BoundOwner(_LmaRecord, tag=1, frozen=True):
    """A Bound of which no more is read than whose it is: after all, most say what a newer one has said."""

    about = Bound.about
    identity = Bound.identity

    owner: bytes


class Unbound(_LmaRecord, tag=2, frozen=True):
    """All bindings of an owner ended before their time; its address is held from then on (P80).

    ``identification``: the last valid one, so that nothing captured before is believed (I10).
    """

    about = "binding"
    identity = ("owner",)
    instants = ("ended_at",)
    ends = True

    owner: bytes
    home_address: Ipv4
    domain: str
    ended_at: float
    identification: int


class Spent(_LmaRecord, tag=3, frozen=True):
    """The Identification of a valid request that left no binding: one that was refused, or ended nothing (I6b)."""

    about = "identification"
    identity = ("owner",)
    instants = ("spent_at",)

    owner: bytes
    identification: int
    spent_at: float


class RefusedAhead(_LmaRecord, tag=4, frozen=True):
    """An Identification that was refused because it is ahead of our clock: its time comes (I8, I10)."""

    about = "refused identification"
    identity = ("owner", "identification")

    owner: bytes
    identification: int


class Revoking(_LmaRecord, tag=5, frozen=True):
    """A revocation was sent, and is repeated until it is acknowledged (RV23).

    ``identifier``: what it was sent with, after which every further one must be (RV6, RV15). ``request`` and
    ``source_...``: as in the Bound that it ends, which tell who is told and what proves it (RV9); ``registered_...``:
    the timestamp of our own 137 there, and when it was sent. ``deadline``: when the binding would have ended.
    """

    about = "revocation"
    identity = ("owner", "care_of_address", "seen_from")
    instants = ("registered_at", "deadline", "sent_at")

    owner: bytes
    care_of_address: Ipv4
    seen_from: Ipv4
    port: int
    home_address: Ipv4
    local: Ipv4
    request: bytes
    source_port: int
    registered_with: int
    registered_at: float
    deadline: float
    inform: bool
    tries: int
    identifier: int
    sent_at: float


class RevocationOver(_LmaRecord, tag=6, frozen=True):
    """It is not repeated any more; its last identifier stays used (RV6)."""

    about = "revocation"
    identity = ("owner", "care_of_address", "seen_from")
    instants = ("sent_at",)
    ends = True

    owner: bytes
    care_of_address: Ipv4
    seen_from: Ipv4
    home_address: Ipv4
    identifier: int
    sent_at: float


class RevokedByMag(_LmaRecord, tag=7, frozen=True):
    """A MAG has ended a registration by a revocation; a repeated one is compared with it until ``deadline`` (RV17)."""

    about = "revocation received"
    identity = ("home_address", "care_of_address")
    instants = ("deadline",)

    home_address: Ipv4
    care_of_address: Ipv4
    owner: bytes
    nai: bytes
    identifier: int
    deadline: float


class LeaseEnded(_LmaRecord, tag=8, frozen=True):
    """A DHCP server has an address back: it is not held any more (P38).

    ``declined``: because the client has met somebody else who has it.
    """

    about = "lease"
    identity = ("home_address", "domain")
    instants = ("ended_at",)
    ends = True

    home_address: Ipv4
    domain: str
    ended_at: float
    declined: bool = False


class Leased(_LmaRecord, tag=9, frozen=True):
    """A DHCP server has given an address through this LMA, which lets nobody else have it (N54).

    ``mac``: the client's. ``seen``: renewals come by us, so that we know its end (D14). ``saved_at``: when this was so.
    """

    about = "lease"
    identity = ("home_address", "domain")
    instants = ("deadline", "saved_at")

    home_address: Ipv4
    domain: str
    nai: bytes
    mac: Mac
    deadline: float
    seen: bool
    saved_at: float


LMA_JOURNAL = JournalFormat(
    role="lma",
    version=1,
    kinds=(
        Bound,
        Unbound,
        Spent,
        RefusedAhead,
        Revoking,
        RevocationOver,
        RevokedByMag,
        LeaseEnded,
        Leased,
    ),
    outline=BoundOwner,
)


def shifted(record: Record, shift: float) -> Record:
    """``record`` with instants of another process: ``shift`` seconds added to each."""
    if isinstance(record, Bound) and not (record.others or record.limits):
        # As below, of which there may be a million.
        return replace(record, deadline=record.deadline + shift, moved_at=record.moved_at + shift)
    assert isinstance(record, _LmaRecord)
    changed: dict[str, object] = {name: getattr(record, name) + shift for name in record.instants}
    if isinstance(record, Bound):
        changed["others"] = tuple(shifted(other, shift) for other in record.others)
        if record.limits is not None:
            ends, *times = record.limits
            changed["limits"] = (None if ends is None else ends + shift, *times)
    return replace(record, **changed)
