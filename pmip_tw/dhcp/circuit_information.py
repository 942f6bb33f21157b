"""What option 82 says about a client, of what may be said (RFC 3046, D12-D16)."""

from collections.abc import Iterable
from typing import Final

from pmip_tw.addresses import Ipv4, Mac
from pmip_tw.dhcp.relaying import Circuit, Fact
from pmip_tw.wire.relay_information import LONGEST, UNICAST, RelayInformation, SubOption, SubOptionCode

_RADIUS_ATTRIBUTES: Final = (1, 88, 6, 27, 100)
"""User-Name, Framed-Pool, Service-Type, Session-Timeout, Framed-IPv6-Pool, the first two first (RFC 4014 4).

Vendor-Specific (26) is allowed as well. But vendors carry keys in it, and which of theirs are keys cannot be known: it
is never sent.
"""


def information(
    told: frozenset[Fact], circuit: Circuit, client: Mac, giaddr: Ipv4
) -> RelayInformation | None:
    """None if there is nothing to be told. What is too long for one option is the caller's to find out, but RADIUS
    attributes take no more than the room that is left.
    """
    found: list[SubOption] = []
    for fact, code, value in (
        (Fact.CIRCUIT_ID, SubOptionCode.CIRCUIT_ID, circuit.circuit_id),
        (Fact.REMOTE_ID, SubOptionCode.REMOTE_ID, circuit.remote_id or client),
        (Fact.LINK_SELECTION, SubOptionCode.LINK_SELECTION, _address(circuit.subnet)),
        (Fact.SUBSCRIBER_ID, SubOptionCode.SUBSCRIBER_ID, circuit.subscriber_id),
        (Fact.SERVER_IDENTIFIER_OVERRIDE, SubOptionCode.FLAGS, bytes((UNICAST * circuit.unicast,))),
        (Fact.SERVER_IDENTIFIER_OVERRIDE, SubOptionCode.SERVER_IDENTIFIER_OVERRIDE, _address(giaddr)),
    ):
        if fact in told and value:
            found.append((code, value))
    if Fact.RADIUS in told:
        room = LONGEST - sum(2 + len(value) for _, value in found) - 2
        attributes = radius_attributes(circuit.radius, room)
        if attributes:
            found.append((SubOptionCode.RADIUS_ATTRIBUTES, attributes))
    return RelayInformation(sub_options=tuple(sorted(found))) if found else None


def radius_attributes(accepted: Iterable[tuple[int, bytes]], room: int) -> bytes:
    """Of what an Access-Accept brought, what a server may know, in at most ``room`` octets: whole attributes (D16)."""
    accepted = tuple(accepted)
    octets = b""
    for wanted in _RADIUS_ATTRIBUTES:
        for kind, value in accepted:
            if kind == wanted and 0 < len(value) <= 253 and len(octets) + 2 + len(value) <= room:
                octets += bytes((kind, 2 + len(value))) + value
    return octets


def _address(address: Ipv4) -> bytes:
    """Nothing for 0."""
    return address.to_bytes(4, "big") if address else b""
