"""Mobile nodes of the file that ``[lma] mobile_nodes_file`` names: their keys, by NAI, and their home addresses."""

from collections.abc import Mapping
from pathlib import Path

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.associations import SecurityAssociation

Associations = SecurityAssociation | tuple[SecurityAssociation, ...]
"""Of one mobile node. There may be a million of them, and nearly all have one."""


def associations_of(
    associations: Mapping[bytes, Associations], nai: bytes
) -> tuple[SecurityAssociation, ...]:
    """All that ``nai`` has."""
    found = associations.get(nai, ())
    return (found,) if isinstance(found, SecurityAssociation) else found


@attrs.frozen(slots=True, kw_only=True)
class NodeFile:
    """The file that ``[lma] mobile_nodes_file`` names, found beside the LMA's file, and what is in it.

    ``associations``: by NAI, as it stands in a message; ``home_addresses``: of those who have a fixed one.
    """

    path: Path
    associations: Mapping[bytes, Associations] = attrs.field(factory=dict, repr=False)
    home_addresses: Mapping[str, Ipv4] = attrs.field(factory=dict, repr=False)
