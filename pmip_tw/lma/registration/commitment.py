"""An authentic request, and what is decided but not yet durable and carried out."""

from msgspec import Struct

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.node_keys import KeyQuestion
from pmip_tw.addresses import Endpoint, Ipv4, Mac
from pmip_tw.dhcp.relay import ToServer
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.journal.recording import bound_record
from pmip_tw.lma.mags import KnownMag
from pmip_tw.lma.place import Place
from pmip_tw.lma.revocation.attempts import Attempt
from pmip_tw.lma.workers.leases import Ask
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.effects import Install, Observe, ObserveAlike, Remove, Send, SendThrough
from pmip_tw.mobility.records import Record
from pmip_tw.mobility.tunnels import AnchorKey, Tunnel
from pmip_tw.wire.registration import RegistrationRequest
from pmip_tw.wire.renewal import RenewalForm


class Asked(Struct, gc=False):
    """A request from ``source`` to our ``local`` that has been proven, and what proves the answer to it.

    ``payload``: its octets. ``authenticator``: those that proved it, which no other request has. ``association``: for
    MN-HA; ``fa_ha``: for FA-HA; both None: IPsec protects the way (A1, A2). ``mag``: the MAG that sent it, if it is
    known. ``owner``: whose binding it is about (``owners.py``), usually the NAI's. ``form``: that of its octets, if it
    was proven by them. ``reply_type``: of the message that answers a request for a pre-tunnel, which is judged as the
    registration in ``request``; 0: it is one. ``longest``: seconds for which AAA lets it register.
    """

    request: RegistrationRequest
    payload: bytes
    authenticator: bytes
    association: SecurityAssociation | None
    source: Endpoint
    local: Ipv4
    owner: bytes
    fa_ha: SecurityAssociation | None = None
    mag: KnownMag | None = None
    form: RenewalForm | None = None
    reply_type: int = 0
    longest: int = 0xFFFF

    @property
    def place(self) -> Place:
        """Which MAG asks."""
        return Place(self.request.care_of_address, self.source.address)

    @property
    def nai(self) -> bytes:
        return self.request.nai


class Commit(Struct, eq=False):
    """An effect: save what it ``saves``; when that is durable, ask the engine whether the commit ``stands``, carry out
    its ``changes`` and tell by ``committed``, or by ``superseded``. What cannot be done is told by ``failed``.

    Reply last: what is said when it is carried out is true then, and stays true. ``asked``: the request that is
    answered; None: it was not read, is in ``binding``, and gets the octets of ``answer``; or ``answers`` are the
    answer, to a revocation. ``renews``: of those that were not read, one that changes no terms; ``arrives``: one of a
    node that was not at that MAG, and is nowhere else then: the packet plane needs a plain entry, and nothing else.
    ``binding``: what the table holds for ``owner`` since it was decided, None for nothing; ``previous``: what it held
    before, to be put back. ``carried``: of that, what the packet plane holds and MAGs were told. The two differ while a
    commit ``before`` of the same owner is not carried out, which this one supersedes. ``revocations``: to those MAGs
    that believe to serve it and will not any more. ``over``: nothing waits for it any more.
    """

    owner: bytes
    records: tuple[Record, ...]
    binding: Binding | None
    previous: Binding | None
    carried: Binding | None = None
    changes: tuple[Install | Remove, ...] = ()
    before: "Commit | None" = None
    asked: Asked | None = None
    answers: tuple[Send | Observe, ...] = ()
    answer: bytes = b""
    renews: bool = False
    arrives: bool = False
    revocations: tuple[Attempt, ...] = ()
    over: bool = False

    @property
    def source(self) -> Endpoint | None:
        """Who sent the request that is answered."""
        if self.asked is not None:
            return self.asked.source
        return None if self.answers or self.binding is None else self.binding.source

    def saves(self) -> tuple[Record, ...]:
        """Its ``records``, without which ``binding`` is what is new, and its ``revocations``.

        They are made now: a store that keeps nothing never asks.
        """
        records = self.records
        if not records and self.binding is not None:
            records = (bound_record(self.binding),)
        if self.revocations:
            records += tuple(revocation.record for revocation in self.revocations)
        return records

    @property
    def to_carry(self) -> tuple[Install | Remove, ...]:
        """Its ``changes``; that of one that ``arrives`` is usually carried out with others', and only made here."""
        if self.arrives:
            assert self.binding is not None
            return (Install(self.binding.entry),)
        return self.changes

    @property
    def alters(self) -> bool:
        """Whether the table has changed by it."""
        return self.binding is not self.previous


class Expect(Struct, frozen=True, gc=False):
    """An effect: hand up the DHCP of ``mac`` that comes out of ``tunnel``; None: of a client that nobody knows yet."""

    tunnel: Tunnel
    mac: Mac | None


class Grant(Struct, frozen=True, gc=False):
    """An effect: send ``answer``, which says that an Expect with the same words is carried out, if that is so."""

    tunnel: Tunnel
    mac: Mac | None
    answer: Send


class Forget(Struct, frozen=True, gc=False):
    """An effect: no more of what an Expect with the same words has asked for."""

    tunnel: Tunnel
    mac: Mac | None


Waiting = Attempt | Grant | SendThrough
"""What rests on a record that cannot be refused."""


class Save(Struct, frozen=True, gc=False):
    """An effect: save ``record``, which cannot be refused. Nobody waits for it but ``then``, which is to be sent when
    it is durable (``LmaEngine.saved``).
    """

    record: Record
    then: Waiting | None = None


class SessionOver(Struct, frozen=True, gc=False):
    """An effect: whoever has ``key`` is served no longer, and AAA may be told why; its entry is removed next."""

    key: AnchorKey
    terminate_cause: TerminateCause


class Wait(Struct, frozen=True, gc=False):
    """An effect, if there are several workers: put ``ask`` to worker 0.

    ``asked``: what cannot be decided before that is answered; None if it can. It has changed nothing yet.
    """

    ask: Ask
    asked: Asked | None = None


class AskTraffic(Struct, frozen=True, gc=False):
    """An effect: tell by ``LmaEngine.traffic`` how many packets the entry ``key`` of ``owner`` has carried."""

    key: AnchorKey
    owner: bytes


class Fetch(Struct, frozen=True, gc=False):
    """An effect: ask AAA, and tell by ``LmaEngine.key_answered`` (AA10)."""

    question: KeyQuestion


Told = Send | Save | Fetch | Observe | ObserveAlike
"""What is said, what is kept of it, and what is asked; nothing else changes."""

DhcpEffect = Expect | Grant | Forget | SendThrough | ToServer
"""What is done by whom has to do with DHCP."""

Effect = (
    Send
    | Commit
    | Save
    | Fetch
    | AskTraffic
    | Wait
    | SessionOver
    | Install
    | Remove
    | Observe
    | ObserveAlike
    | DhcpEffect
)
"""What the LMA's machine asks its agent to do."""
