"""What authenticates a revocation or its acknowledgment (RV9, P76): FA-HA if the binding has it, else MN-HA.

A binding with neither is one of a MAG whose signalling IPsec protects.
"""

from msgspec import Struct

from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.wire.revocation import Revocation, RevocationAck


class RevocationProof(Struct, frozen=True, gc=False):
    """``association``: None where IPsec does it; ``between_agents``: it is for FA-HA."""

    association: SecurityAssociation | None
    between_agents: bool = False

    @classmethod
    def of(cls, mn_ha: SecurityAssociation | None, fa_ha: SecurityAssociation | None) -> "RevocationProof":
        return cls(mn_ha) if fa_ha is None else cls(fa_ha, between_agents=True)

    def sign(self, message: Revocation | RevocationAck) -> bytes:
        """``message`` as octets, authenticated."""
        if self.between_agents:
            return message.encode(fa_ha=self.association)
        return message.encode(mn_ha=self.association)

    def objection(self, payload: bytes, message: Revocation | RevocationAck) -> tuple[str, str] | None:
        """Why ``message``, decoded from ``payload``, is not authentic: a stable word and a cause; None if it is."""
        if self.association is None:
            return None
        name, found = ("FA-HA", message.fa_ha) if self.between_agents else ("MN-HA", message.mn_ha)
        spi = self.association.spi
        if found is None or found.spi != spi:
            return "no-authenticator", f"it has no {name} extension with SPI {spi} (RV9)"
        if not self.association.verify(payload[: found.covered], found.value):
            return (
                "bad-authenticator",
                f"its {name} authenticator is wrong: the sender's key is not ours (RV9)",
            )
        return None
