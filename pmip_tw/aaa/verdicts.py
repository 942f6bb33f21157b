"""What is asked of AAA about a mobile node, and what it answers."""

import attrs

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.addresses import Endpoint, Mac


@attrs.frozen(slots=True, kw_only=True)
class MacCredential:
    """MAC authentication (AA24): all that the network knows is the node's Ethernet address and where it appeared."""

    mac: Mac
    port: str


@attrs.frozen(slots=True, kw_only=True)
class Conversation:
    """What an EAP conversation must come back with: the server that leads it, and its State (RFC 3579 2.6.1)."""

    server: Endpoint
    state: bytes = attrs.field(repr=False)


@attrs.frozen(slots=True, kw_only=True)
class EapCredential:
    """One EAP response of a node, ``message``, passed on as it is.

    ``identity``: what it called itself, its User-Name until AAA says another. ``conversation``: from the Challenge that
    it answers; None begins a new one.
    """

    mac: Mac
    port: str
    identity: bytes
    message: bytes = attrs.field(repr=False)
    conversation: Conversation | None = None


@attrs.frozen(slots=True, kw_only=True)
class AuthorizeOnly:
    """The node is served already, and AAA has asked to be asked again (RFC 5176 3.2).

    ``aaa_session``: what AAA knows its session by (``Profile.aaa_session_id``), empty if it has said nothing.
    """

    mac: Mac
    port: str
    nai: str
    state: bytes = attrs.field(repr=False)
    aaa_session: bytes = b""


Credential = MacCredential | EapCredential | AuthorizeOnly


@attrs.frozen(slots=True)
class Accept:
    """The mobile node may be served. ``message``: EAP for it, usually Success; empty without EAP."""

    profile: Profile
    message: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(slots=True)
class Reject:
    """AAA refused; ``cause`` in words for a person, ``message`` for the node, as in Accept."""

    cause: str
    message: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(slots=True)
class Challenge:
    """The conversation goes on: ``message`` is for the node. ``timeout``: seconds that it has, 0: as usual."""

    message: bytes = attrs.field(repr=False)
    conversation: Conversation
    timeout: int = 0


@attrs.frozen(slots=True)
class Unavailable:
    """No server gave a usable answer; ``cause`` names each server and what is wrong with it."""

    cause: str


Verdict = Accept | Reject | Challenge | Unavailable
