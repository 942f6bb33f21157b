"""Revocations on their way, and each try of one, which is written down before it leaves (docs/decisions/0011)."""

from msgspec import Struct, field

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma.place import Place
from pmip_tw.lma.records import Revoking
from pmip_tw.lma.revocation_proof import RevocationProof
from pmip_tw.wire.revocation import Revocation


class Pending(Struct, kw_only=True, eq=False, gc=False):
    """A revocation not yet acknowledged (RV25). ``request``, ``source``: of the binding that it ends.

    ``tries``: how often it was sent; ``identifiers``: what it was or will be sent with; ``next_try``: when it is sent
    again, monotonic.
    """

    owner: bytes
    nai: bytes
    home_address: Ipv4
    place: Place
    destination: Endpoint
    local: Ipv4
    proof: RevocationProof
    request: bytes
    source: Endpoint
    registered_with: int
    registered_at: float
    binding_ends: float
    inform: bool
    tries: int = 0
    identifiers: list[int] = field(default_factory=list)
    next_try: float = 0.0

    @property
    def key(self) -> tuple[bytes, Place]:
        """Who is no longer where."""
        return self.owner, self.place

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
        return self.proof.sign(message)


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
        return Revoking(
            pending.owner,
            *pending.place,
            pending.destination.port,
            pending.home_address,
            pending.local,
            pending.request,
            pending.source.port,
            pending.registered_with,
            pending.registered_at,
            pending.binding_ends,
            pending.inform,
            pending.tries + 1,
            self.identifier,
            self.decided_at,
        )
