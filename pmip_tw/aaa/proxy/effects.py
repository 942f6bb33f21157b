"""What the RADIUS proxy asks its agent to do, in order."""

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.examined import Examined
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4
from pmip_tw.mobility.effects import Observe, ObserveAlike
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.wire.radius import Request


@attrs.frozen(slots=True, kw_only=True)
class Ask:
    """Ask the servers; how that ends comes back by ``RadiusProxy.answered`` with the number ``exchange``.

    The rest is as ``IRadiusClient.ask`` has it.
    """

    exchange: int
    request: Request
    group: str
    pinned: Endpoint | None
    subject: str
    flow: str


@attrs.frozen(slots=True)
class Reply:
    """Send ``datagram`` to an access point, from the port of ``group`` at ``source``, 0: at whichever address."""

    datagram: bytes = attrs.field(repr=False)
    destination: Endpoint
    group: str
    source: Ipv4 = UNSPECIFIED


@attrs.frozen(slots=True)
class Admit:
    """AAA has accepted the station ``key``, which was ``examined`` by its access point."""

    key: AccessKey
    profile: Profile
    examined: Examined


@attrs.frozen(slots=True)
class Dismiss:
    """The station ``key`` is not let in any more; ``why`` in words for a person."""

    key: AccessKey
    why: str
    terminate_cause: TerminateCause


@attrs.frozen(slots=True)
class Disconnect:
    """Ask an access point, which takes that at ``access_point``, to throw a station off (RFC 5176 2.1)."""

    request: Request
    access_point: Endpoint
    key: AccessKey


Effect = Ask | Reply | Admit | Dismiss | Disconnect | Observe | ObserveAlike
