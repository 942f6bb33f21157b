"""The interfaces between the agents and the edges.

Each that reaches outside has a real provider, a twin (in ``pmip_tw.testing``; the packet plane's is
``forwarding.memory``) and one contract test that runs on both.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
from msgspec import Struct
from zope.interface import Attribute, Interface

from pmip_tw.addresses import Endpoint, Ipv4, Mac
from pmip_tw.errors import StoreError
from pmip_tw.mobility.records import Record, Superseded
from pmip_tw.mobility.tunnels import AccessKey, Activity, AlikeEntries, Counters, Entry, EntryKey, Tunnel

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from pmip_tw.aaa.profile import MacCredential, Verdict
    from pmip_tw.mobility.clock import Now
    from pmip_tw.mobility.observations import Alike, Observation


class Datagram(Struct, frozen=True, gc=False):
    """A datagram of UDP port 434 as it arrived: from ``source`` to our address ``local``."""

    payload: bytes
    source: Endpoint
    local: Ipv4


@attrs.frozen(slots=True)
class Unreachable:
    """ICMP says that ``peer`` cannot be reached; ``code`` as in RFC 792 (3 = nothing listens on that port).

    ICMP is easily forged: it explains, it never removes state.
    """

    peer: Endpoint
    code: int


class IClock(Interface):
    """Time, chance and wake-ups."""

    def now() -> "Now":
        """This instant, monotonic and wall clock, with an entropy source."""

    def wake_at(deadline: float | None, callback: Callable[[], None]) -> None:
        """Call ``callback`` once at monotonic ``deadline`` or a little later; replaces the wake-up asked for before.

        None cancels it. A wake-up is a hint: it may come early, and the callee looks at the clock itself.
        """


class ISignallingReceiver(Interface):
    """Whoever is told about signalling datagrams."""

    def datagrams_received(batch: Sequence[Datagram]) -> None:
        """Datagrams, of each source in order of arrival; every one is for us, none is tunnel data (type 4)."""

    def peer_unreachable(report: Unreachable) -> None:
        """ICMP about something that we sent."""


class ITunnelDataReceiver(Interface):
    """Whoever takes RFC 3519 tunnel data (message type 4) that shares port 434 with the signalling."""

    def tunnel_data_received(batch: Sequence[Datagram]) -> None:
        """Datagrams whose first octet is 4."""


class ISignalling(Interface):
    """UDP port 434, on each of our own addresses."""

    addresses = Attribute("tuple of Ipv4: the local addresses it is bound to")

    def start(receiver: "ISignallingReceiver", tunnel_data: "ITunnelDataReceiver | None") -> None:
        """Bind and begin to deliver. PmipError says which address could not be bound and why."""

    def send(payload: bytes, destination: Endpoint, source: Ipv4, tos: int = 0) -> int:
        """Send from port 434 of ``source``, one of ``addresses``; 0, or the error number if it did not get away.
        ``tos``: the type of service in its header.

        It is lost then, as in a network: so is what a full socket buffer does not take. Once stopped nothing is sent:
        an answer that comes late finds nobody to send it.
        """

    def send_all(messages: Sequence[tuple[bytes, Endpoint]], source: Ipv4) -> None:
        """As ``send``, of many at once, none of them empty, each with its destination: those to one peer are cheaper.

        Two of different sizes may overtake each other.
        """

    def authenticated(sources: Collection[Endpoint]) -> None:
        """What came from ``sources`` was authentic, each named once for each datagram.

        When more arrives than can be handled, theirs is handled first.
        """

    def drops() -> dict[str, int]:
        """Datagrams that arrived since start and were not delivered, by reason."""

    def use_address(old: Ipv4, new: Ipv4) -> None:
        """Bind ``new`` in the place of ``old`` (P82). PmipError: it cannot be bound; nothing has changed then.

        What is still sent from ``old`` is lost, as on a network that no longer has it.
        """

    def stop() -> None:
        """Unbind. Idempotent."""


class IUplinkReceiver(Interface):
    """Whoever is told about a change of this machine's own address."""

    def uplink_changed(address: Ipv4 | None) -> None:
        """The address is another one now, or there is none."""


class IUplink(Interface):
    """The interface towards the core network, whose address may change: a lease, a new provider (P82)."""

    def address() -> Ipv4 | None:
        """Its IPv4 address at this moment; of several the first, the primary one."""

    def start(receiver: "IUplinkReceiver") -> None:
        """Begin to tell changes of ``address``. PmipError: there is no such interface."""

    def stop() -> None:
        """Idempotent."""


class IDhcpReceiver(Interface):
    """Whoever is told what DHCP servers answer."""

    def dhcp_received(batch: Sequence[Datagram]) -> None:
        """Datagrams in order of arrival, from anybody."""


class IDhcpSocket(Interface):
    """UDP port 67 of one of our own addresses, which is the relay's address for DHCP servers (RFC 1542 4.1)."""

    def start(receiver: "IDhcpReceiver") -> None:
        """Bind and begin to deliver. PmipError says why the address could not be bound."""

    def use_address(address: Ipv4) -> None:
        """Be bound to ``address`` from now on (P82). PmipError: it cannot be, and all is as before."""

    def send(payload: bytes, server: Ipv4) -> None:
        """Send to port 67 of ``server``; lost if it cannot be, and once stopped."""

    def stop() -> None:
        """Unbind. Idempotent."""


class IClientLinksReceiver(Interface):
    """Whoever is told what DHCP clients broadcast."""

    def client_packets_received(link: str, packets: Sequence[bytes]) -> None:
        """IPv4 packets in order of arrival, of at least everything that was sent there to UDP port 67."""


class IClientLinks(Interface):
    """The links of a DHCP relay's clients: stations that have no address yet, and cannot be asked for one by ARP."""

    def start(receiver: "IClientLinksReceiver") -> None:
        """Begin to deliver. PmipError says which link cannot be used and why."""

    def send(link: str, packet: bytes, destination: Mac) -> None:
        """Send a whole IPv4 packet to one station, or to all; lost if it cannot be, and once stopped."""

    def drops() -> dict[str, int]:
        """Packets that were lost since start, by reason."""

    def stop() -> None:
        """Idempotent."""


class IIpsecPolicies(Interface):
    """What the kernel demands of signalling before a socket hears of it."""

    def requires_esp(peer: Ipv4, local: Ipv4) -> bool:
        """Whether UDP 434 of ``local`` is reached from ``peer`` through ESP only (P74).

        PmipError: the policies cannot be read, and why.
        """


class IPacketReceiver(Interface):
    """Whoever takes what the packet plane cannot decide by itself."""

    def frame_received(port: str, frame: bytes) -> None:
        """An Ethernet frame of an access port that no installed entry carries: an unknown node's, DHCP, ARP, TTL 1."""

    def keepalive_answered(key: AccessKey) -> None:
        """The far end of the tunnel of ``key`` has answered the last ``keepalive`` (N37)."""

    def dhcp_shown(key: AccessKey, packet: bytes) -> None:
        """A copy of a DHCP packet that was carried to or from the node of ``key``, whose entry has ``shows_dhcp``."""

    def breakout_refused(key: AccessKey, cause: str) -> None:
        """The node of ``key`` has no local breakout (N58), unlike others here; its tunnel carries everything."""

    def dhcp_tunneled(tunnel: Tunnel, packet: bytes) -> None:
        """A whole IPv4 packet with DHCP that came out of ``tunnel``, where ``open_dhcp`` has been asked for."""


class IForwardingPlane(Interface):
    """The packet plane: it holds exactly the entries that were installed and were not removed."""

    name = Attribute("str: the provider's name, 'memory' or 'tun'")

    def start(receiver: "IPacketReceiver | None") -> None:
        """Open devices and begin. ForwardingError says which and why; nothing is left half open then."""

    def stop() -> None:
        """Close every device, undo every change to the machine but its kernel settings. Idempotent.

        Others may have come to rely on forwarding.
        """

    def install(entry: Entry) -> None:
        """Hold ``entry``; an entry of the same key is replaced in one step and keeps its counters.

        ForwardingError: the plane cannot carry it; what was there before still is.
        """

    def install_alike(entries: AlikeEntries) -> Sequence[Ipv4]:
        """Hold all of them, of as many as can be done at once, in place of what there was: a restart has a million.

        The home addresses of the others come back: ``install`` takes their entries, or says why not.
        """

    def remove(key: EntryKey) -> Counters:
        """Forget the entry and give its final counters (all zero if there was none)."""

    def snapshot() -> tuple[Entry, ...]:
        """Every entry held."""

    def counters(key: EntryKey) -> Counters:
        """What the entry's node moved so far (all zero if there is no such entry)."""

    def drops() -> dict[str, int]:
        """Packets dropped since start, by reason."""

    def transmit(port: str, frame: bytes) -> None:
        """Send an Ethernet frame out of an access port, to the mobile node."""

    def forward(port: str, frame: bytes) -> None:
        """Treat ``frame`` as if it had just arrived on ``port`` (frames held during a registration, P78)."""

    def activity(tunnel: Tunnel) -> Activity:
        """When something went through the path of ``tunnel`` last, either way, and who waits for an answer (N38, N59).

        All zero if no entry needs it.
        """

    def keepalive(key: AccessKey) -> None:
        """Send an ICMP echo from the home address of ``key`` through its tunnel to the far end (N37, P81).

        The answer goes to ``keepalive_answered``, not to the node. Nothing happens if there is no such entry.
        """

    def open_dhcp(tunnel: Tunnel) -> None:
        """Hand up, from now on, DHCP that comes out of ``tunnel`` for nodes which have no entry (N52).

        That is unfragmented UDP, at an anchor from port 68 to 67, of what entries' home addresses send only what is
        for all servers; at a MAG from 67 to 68, and not to an address that is registered through this tunnel; it goes
        to ``dhcp_tunneled``. Whatever else there is for no entry is dropped as before. ForwardingError: there is no way
        into such a tunnel.
        """

    def close_dhcp(tunnel: Tunnel) -> None:
        """No more; entries that have this tunnel go on as they are. Idempotent."""

    def send_dhcp(tunnel: Tunnel, packet: bytes) -> None:
        """Send a whole IPv4 packet through ``tunnel``; it is lost, and counted, if DHCP is not open there."""

    def use_address(local: Ipv4) -> None:
        """From now on ``local`` is this MAG's own address (P82): entries may have it as their tunnel's local end.

        Entries that are held stay as they are until they are replaced. ForwardingError: it is no address of this
        machine, or the plane is an anchor's; nothing has changed then.
        """


class IBindingStore(Interface):
    """What outlives the process: a journal of records that are appended and, once nothing in them matters, dropped."""

    keeps = Attribute("bool: whether anything is kept; if not, it need not be told what")

    def start() -> None:
        """Open or create it; a previous version's is migrated.

        StoreError: which file, what is wrong, what to do; nothing is destroyed.
        """

    def load(superseded: "Superseded | None" = None) -> "Iterator[tuple[float, Sequence[Record]]]":
        """Every row that may still matter, newest first: (shift, its records in the order they were appended).

        Rows that are ``superseded``, which is asked when their turn comes, are left out: most are, and are not read.

        ``shift``: seconds to add to a monotonic instant in them to get one of this process. It is 0 within one boot
        of the machine, unless it was suspended. Over a reboot the wall clock says how much time has passed; one that
        went back shortens nothing. StoreError: the file cannot be read on.
        """

    def append(records: "Sequence[Record]", done: "Callable[[StoreError | None], None]") -> None:
        """Save them after everything appended before, whole or not at all; they must not change any more.

        ``done(None)``, from the reactor or at once, when they are durable. A write that fails takes everything with
        it that waits behind: their ``done(StoreError)`` are called newest first, so that each can undo what it did;
        what is appended from then on is tried anew.
        """

    def stop() -> "Deferred[None] | None":
        """Write what is waiting, close; fires when that is done. Idempotent.

        What is appended after that is not saved, and nobody is told.
        """


class IAuthenticator(Interface):
    """Decides whether a mobile node may be served, and gives its profile."""

    def authenticate(credential: "MacCredential") -> "Deferred[Verdict]":
        """Fires with Accept, Reject or Unavailable; never fails, always fires."""

    def stop() -> None:
        """Close sockets; what is outstanding fires with Unavailable. Idempotent."""


class IObserver(Interface):
    """Something that listens: log, counters, traces."""

    def observe(observation: "Observation", now: "Now") -> None:
        """Called once for everything that happens; must not fail and must be quick."""

    def observe_alike(observations: "Alike[Any]", now: "Now") -> None:
        """The same for many at once, where thousands come in a second."""


class IOperations(Interface):
    """What an operator may ask of a running daemon. Rows are flat, of plain values for JSON, and never hold a key.

    A PmipError that a method raises is the answer to the operator: what is wrong, and what to do.
    """

    role = Attribute("str: 'mag' or 'lma'")
    tables = Attribute("tuple of str: what ``show`` knows, such as 'bindings'")

    def show(what: str) -> "Sequence[Mapping[str, object]] | Deferred[Sequence[Mapping[str, object]]]":
        """The rows of a table, one of ``tables``. PmipError: this role has no such table."""

    def trace(key: str) -> "Sequence[Mapping[str, object]] | Deferred[Sequence[Mapping[str, object]]]":
        """What happened to a mobile node, oldest first; ``key`` is a NAI, MAC or home address.

        PmipError: nothing is known of it.
        """

    def detach(nai: str) -> "Mapping[str, object] | Deferred[Mapping[str, object]]":
        """End the service of a mobile node; what was ended. PmipError: it is not served here."""

    def revoke(whom: str) -> "Mapping[str, object] | Deferred[Mapping[str, object]]":
        """End the bindings of a mobile node and tell its MAG; what was ended. PmipError: it has none here.

        ``whom``: a NAI, or a home address whose DHCP lease has ended, which is then no longer held for its node.
        """
