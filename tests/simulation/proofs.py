"""By which keys MAGs prove their requests, beside those of nodes (P72)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pmip_tw.lma.mags import KnownMag
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.secret import Secret

if TYPE_CHECKING:
    from tests.simulation.world import World


def proof_of(world: "World", mag: int) -> str:
    """See Scenario.proofs."""
    return world.scenario.proofs[mag] if world.scenario.proofs else "per-mn"


def between(mag: int) -> SecurityAssociation:
    return SecurityAssociation(5000 + mag, Secret(b"between MAG %02d and the LMA" % mag))


def known(world: "World") -> Iterator[KnownMag]:
    """MAGs with keys of their own, at each address that they may have."""
    for mag in world.mags:
        if proof_of(world, mag.number) != "per-mn":
            for address in world.addresses_of(mag.number):
                yield KnownMag(
                    address=address,
                    mode=AuthenticationMode.FA_HA,
                    associations=(between(mag.number),),
                )
