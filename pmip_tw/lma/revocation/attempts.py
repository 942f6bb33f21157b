"""Revocations on their way, and each try of one, which is written down before it leaves (docs/decisions/0011)."""

from msgspec import Struct, field

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma.journal.records import Revoking
from pmip_tw.lma.place import Place
from pmip_tw.lma.revocation.proof import RevocationProof
from pmip_tw.wire.revocation import ACK_FIXED, FIXED, Revocation

Key = tuple[bytes, Place]
"""The owner of a binding and its MAG: who is no longer where."""


class Pending(Struct, kw_only=True, eq=False, gc=False):
    """A revocation not yet acknowledged (RV25). ``request``, ``source_port``: of the binding that it ends.

    ``tries``: how often it was sent; ``identifiers``: what it was or will be sent with; ``next_try``: when it is sent
    again, monotonic. ``behind``: what follows the fixed part of the message, up to the authenticator; b"" if nobody
    knows yet.
    """

    key: Key
    nai: bytes
    home_address: Ipv4
    destination: Endpoint
    local: Ipv4
    proof: RevocationProof
    request: bytes
    source_port: int
    registered_with: int
    registered_at: float
    binding_ends: float
    inform: bool
    tries: int = 0
    identifiers: list[int] = field(default_factory=list)
    next_try: float = 0.0
    behind: bytes = b""

    @property
    def owner(self) -> bytes:
        return self.key[0]

    @property
    def place(self) -> Place:
        return self.key[1]

    def signed(self, identifier: int) -> bytes:
        """The message of a try."""
        message = Revocation(
            from_home_agent=True,
            inform=self.inform,
            nai=self.nai,
            home_address=self.home_address,
            home_domain=self.local,
            foreign_domain=self.place.care_of_address,
            identifier=identifier,
        )
        association = self.proof.association
        if association is not None and self.behind:
            unsigned = message.fixed() + self.behind
            return unsigned + association.sign(unsigned)
        octets = self.proof.sign(message)
        if association is not None:
            self.behind = octets[FIXED : -association.digest_size]
        return octets

    def is_echoed_in(self, ack: bytes) -> bool:
        """Whether octets that begin as its acknowledgment does end as one usually does: as the message, and are right.

        If they do not they may be right all the same, and are to be read.
        """
        association, behind = self.proof.association, self.behind
        covered = ACK_FIXED + len(behind)
        return (
            association is not None
            and ack[ACK_FIXED:covered] == behind != b""
            and association.verify(ack[:covered], ack[covered:])
        )


class Attempt(Struct, frozen=True, eq=False, gc=False):
    """One more try of ``pending``, with an ``identifier`` that nothing else has; ``first``: nobody knows of it yet."""

    pending: Pending
    identifier: int
    first: bool
    decided_at: float

    @property
    def record(self) -> Revoking:
        """What must be durable before it leaves."""
        pending = self.pending
        owner, place = pending.key
        return Revoking(
            owner,
            *place,
            pending.destination.port,
            pending.home_address,
            pending.local,
            pending.request,
            pending.source_port,
            pending.registered_with,
            pending.registered_at,
            pending.binding_ends,
            pending.inform,
            pending.tries + 1,
            self.identifier,
            self.decided_at,
        )
