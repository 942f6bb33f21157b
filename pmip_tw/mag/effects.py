"""What a MAG's machine asks for, besides the effects that both agents know."""

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.dynamic_authorization import Outcome
from pmip_tw.aaa.verdicts import Credential
from pmip_tw.addresses import Ipv4
from pmip_tw.mag.journal.records import MagRecord
from pmip_tw.mobility.effects import CloseDhcp, Install, Observe, OpenDhcp, Remove, Send, SendThrough
from pmip_tw.mobility.tunnels import AccessEntry, AccessKey, Tunnel


@attrs.frozen(slots=True)
class Authenticate:
    """Ask AAA; the verdict comes back by ``MagEngine.authenticated`` with the same ``attempt``."""

    key: AccessKey
    credential: Credential
    attempt: int


@attrs.frozen(slots=True)
class Expel:
    """Tell the access point that has authenticated the node of ``key`` to serve it no longer (AA27)."""

    key: AccessKey


@attrs.frozen(slots=True)
class AskPresence:
    """When did the packet plane last hear it? The answer comes back by ``MagEngine.presence``."""

    key: AccessKey


@attrs.frozen(slots=True)
class AskActivity:
    """What went through ``tunnel``, or what ``key`` has sent? The answer comes back by ``MagEngine.activity`` (N38)."""

    tunnel: Tunnel
    key: AccessKey | None


@attrs.frozen(slots=True)
class AskTraffic:
    """How much has the node moved? The packets, both ways, come back by ``MagEngine.traffic`` (AA25)."""

    key: AccessKey


@attrs.frozen(slots=True)
class Conclude:
    """What AAA has asked for under this ``number`` has happened: tell it so."""

    number: int
    outcome: Outcome


@attrs.frozen(slots=True)
class Keepalive:
    """Send an echo through the tunnel of ``key``; its answer comes back by ``MagEngine.keepalive_answered`` (N37)."""

    key: AccessKey


@attrs.frozen(slots=True)
class Transmit:
    """Send an Ethernet frame out of an access port."""

    port: str
    frame: bytes = attrs.field(repr=False)


@attrs.frozen(slots=True)
class Forward:
    """Let the packet plane treat ``frame`` as if it had just arrived (P78)."""

    port: str
    frame: bytes = attrs.field(repr=False)


@attrs.frozen(slots=True)
class Serve:
    """Install ``entry``, and only if the packet plane takes it carry out ``then``, which promises the service (D23)."""

    entry: AccessEntry
    then: "tuple[MagEffect, ...]"


@attrs.frozen(slots=True)
class Save:
    """Write ``records`` down. ``then`` rests on them: it happens when they are durable, or cannot be made so.

    Without records it rests on whatever is on its way to be durable, if anything is.
    """

    records: tuple[MagRecord, ...]
    then: "tuple[MagEffect, ...]" = ()


@attrs.frozen(slots=True)
class Promise:
    """Carry out ``then`` if the node of ``key`` is registered with ``home_address``: it may have been revoked since."""

    key: AccessKey
    home_address: Ipv4
    then: "tuple[MagEffect, ...]"


@attrs.frozen(slots=True)
class SessionChanged:
    """AAA has said something else of the visitor of ``key``, which is registered: its accounting may be meant."""

    key: AccessKey


@attrs.frozen(slots=True)
class SessionOver:
    """The session that AAA knows as ``accounting_id``, if it was told of it, is over (RFC 2866).

    ``continues``: the node goes on elsewhere. Its entry was removed before. ``aaa_session``: as AAA itself calls it
    (``Profile.aaa_session_id``), empty if it does not.
    """

    accounting_id: str
    terminate_cause: TerminateCause
    continues: bool = False
    aaa_session: bytes = b""


@attrs.frozen(slots=True)
class SendDhcp:
    """Send ``payload`` from our UDP port 67 to that of ``server``."""

    payload: bytes = attrs.field(repr=False)
    server: Ipv4


MagEffect = (
    Send
    | Install
    | Remove
    | Observe
    | Authenticate
    | Expel
    | AskPresence
    | AskActivity
    | AskTraffic
    | Conclude
    | Keepalive
    | Transmit
    | Forward
    | Serve
    | Save
    | Promise
    | SessionChanged
    | SessionOver
    | SendDhcp
    | OpenDhcp
    | CloseDhcp
    | SendThrough
)
