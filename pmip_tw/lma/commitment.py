"""An authentic request, and a registration that is decided but not yet carried out."""

import attrs

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma.bindings import Binding, Place
from pmip_tw.lma.mags import KnownMag
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.effects import Install, Observe, Remove, Send
from pmip_tw.wire.registration import RegistrationRequest


@attrs.define(slots=True)
class Asked:
    """A request from ``source`` to our ``local`` that has been proven, and what proves the answer to it.

    ``authenticator``: the octets that proved it, which no other request has. ``association``: for MN-HA;
    ``fa_ha``: for FA-HA; both None: IPsec protects the way (A1, A2). ``mag``: the MAG that sent it, if it is known.
    ``owner``: whose binding it is about (``owners.py``), usually the NAI's.
    """

    request: RegistrationRequest = attrs.field(repr=False)
    authenticator: bytes = attrs.field(repr=False)
    association: SecurityAssociation | None
    source: Endpoint
    local: Ipv4
    fa_ha: SecurityAssociation | None = None
    mag: KnownMag | None = None
    owner: bytes = attrs.field()

    @owner.default
    def _its_nai(self) -> bytes:
        return self.request.nai

    @property
    def place(self) -> Place:
        """Which MAG asks."""
        return Place(self.request.care_of_address, self.source.address)

    @property
    def nai(self) -> bytes:
        return self.request.nai


@attrs.frozen(slots=True, kw_only=True)
class Commit:
    """An effect: carry out ``change``, then tell the engine by ``committed`` or ``failed``; it holds the reply.

    Reply last: an accepting reply leaves when what it promises is true. ``binding``: what the table holds for the
    owner now, None for nothing; ``previous``: what it held before, to be put back if an Install fails; a Remove
    cannot fail. ``change`` None: nothing to carry out.
    """

    asked: Asked
    change: Install | Remove | None
    binding: Binding | None
    previous: Binding | None


Effect = Send | Commit | Install | Remove | Observe
"""What the LMA's machine asks its agent to do."""
