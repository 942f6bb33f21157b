"""What a MAG's journal keeps, so that a restart drops nobody (docs/decisions/0013).

Instants are monotonic seconds of the process that wrote them. The newest record about a thing is the truth about it.
"""

from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from pmip_tw.aaa.examined import Examined
from pmip_tw.addresses import Ipv4, Mac
from pmip_tw.mobility.records import JournalFormat, Record
from pmip_tw.secret import Secret


class _MagRecord(Record, frozen=True):
    """``instants``: its fields that are monotonic, some of them None at times."""

    instants: ClassVar[tuple[str, ...]]


class Authorized(Struct, frozen=True, array_like=True, gc=False):
    """Of a ``Profile`` what came later than the rest of ``Visiting``: the same names. ``fa_rk``: SPI and key."""

    classes: tuple[bytes, ...] = ()
    fa_rk: tuple[int, Secret] | None = None
    dhcp_server: Ipv4 = Ipv4(0)
    name_servers: tuple[Ipv4, ...] = ()
    lifetime: int = 0
    idle_timeout: int = 0
    interim_interval: int = 0
    reauthenticate: bool = False
    filter_ids: tuple[str, ...] = ()
    chargeable_identity: bytes = b""
    aaa_session_id: bytes = b""
    correlation_id: bytes = b""


class Visiting(_MagRecord, tag=1, frozen=True):
    """A visitor is registered, until ``deadline`` if nothing else happens. It is served again without asking anybody.

    ``lmas`` ... ``attributes_class``: what AAA has said of it, see ``Profile``; ``mn_ha``: SPI, algorithm and key,
    ``mn_aaa``: SPI and key. ``remote`` ... ``key_out``: its tunnel, see ``Tunnel``. ``home_link``: what its LMA has
    told about that (P70): length of the prefix, gateway, name servers; None if nothing. ``identification``: the last
    one that was used for it; ``clock_offset``: seconds by which that was ahead of our clock (P17).
    ``keepalive_interval``: what its LMA asked for (N38), 0 if nothing, or by an older version. ``framed_pool``: see
    ``Profile``. ``authorized``: what else AAA has said; an older version wrote one Class, ``attributes_class``.
    ``accounting_id``: see ``Visitor``, as for ``method``, ``eap_identity`` (``identity`` there) and ``reauthorize_at``;
    an older version knew nothing but MACs. ``examined``: see ``Visitor``.
    """

    about = "visitor"
    identity = ("mac",)
    instants = ("accepted_at", "renew_at", "deadline", "session_ends", "lease_ends", "reauthorize_at")

    port: str
    mac: Mac
    nai: str
    lmas: tuple[Ipv4, ...]
    mn_ha: tuple[int, str, Secret] | None
    mn_aaa: tuple[int, Secret] | None
    profile_home_address: Ipv4
    session_timeout: int
    attributes_class: bytes
    session_ends: float | None
    home_address: Ipv4
    lma: Ipv4
    care_of_address: Ipv4
    lifetime: int
    accepted_at: float
    renew_at: float
    deadline: float
    lma_timestamp: int | None
    inform: bool
    remote: Ipv4
    remote_port: int
    encapsulation: int
    key_in: int | None
    key_out: int | None
    home_link: tuple[int, ...] | None
    lease_ends: float | None
    lease_cause: str
    identification: int
    clock_offset: int
    keepalive_interval: int = 0
    framed_pool: bytes = b""
    authorized: Authorized = Authorized()
    accounting_id: str = ""
    method: str = "mac"
    eap_identity: str = ""
    reauthorize_at: float | None = None
    examined: Examined | None = None


class Departed(_MagRecord, tag=2, frozen=True):
    """It is no visitor any more. ``deadline``: when what was written of it before says nothing any more."""

    about = "visitor"
    identity = ("mac",)
    instants = ("deadline",)
    ends = True

    mac: Mac
    nai: str
    deadline: float


class Buried(_MagRecord, tag=3, frozen=True):
    """A registration is over: a revocation of it is answered until ``deadline`` (RV17, RV37), see ``Tombstone``.

    ``lma``: with whom our own association is looked up; ``mn_ha``: the node's, if it had one, as in ``Visiting``.
    """

    about = "former registration"
    identity = ("home_agent", "home_address", "nai")
    instants = ("deadline",)

    home_agent: Ipv4
    home_address: Ipv4
    nai: str
    lma: Ipv4
    mn_ha: tuple[int, str, Secret] | None
    identifier: int
    deadline: float


class Admitted(_MagRecord, tag=4, frozen=True):
    """An access point has let a station in (AA27), until ``ends_at`` if that says nothing else; None: for ever.

    ``nai`` ... ``authorized``: as in ``Visiting``. ``deadline``: until when this is believed; before, it is written
    anew.
    """

    about = "admission"
    identity = ("mac", "port")
    instants = ("ends_at", "deadline")

    mac: Mac
    port: str
    nai: str
    lmas: tuple[Ipv4, ...]
    mn_ha: tuple[int, str, Secret] | None
    mn_aaa: tuple[int, Secret] | None
    profile_home_address: Ipv4
    session_timeout: int
    framed_pool: bytes
    authorized: Authorized
    examined: Examined
    ends_at: float | None
    deadline: float


class Withdrawn(_MagRecord, tag=5, frozen=True):
    """It is let in no more. ``deadline``: when what was written of it before says nothing any more."""

    about = "admission"
    identity = ("mac", "port")
    instants = ("deadline",)
    ends = True

    mac: Mac
    port: str
    deadline: float


MagRecord = Visiting | Departed | Buried | Admitted | Withdrawn

MAG_JOURNAL = JournalFormat(role="mag", version=1, kinds=(Visiting, Departed, Buried, Admitted, Withdrawn))


def shifted(record: Record, shift: float) -> Record:
    """``record`` with instants of another process: ``shift`` seconds added to each."""
    assert isinstance(record, _MagRecord)
    instants = {name: getattr(record, name) for name in record.instants}
    return replace(record, **{name: at + shift for name, at in instants.items() if at is not None})
