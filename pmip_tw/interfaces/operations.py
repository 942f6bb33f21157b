"""Who listens, and what an operator may ask."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from pmip_tw.mobility.clock import Now
    from pmip_tw.mobility.observations import Alike, Observation


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
