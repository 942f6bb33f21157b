"""What the answer of a Diameter server means: its AVPs as attributes, so that a profile is made of them as of RADIUS's.

The agreement is ours (docs/diameter.md): attributes of RADIUS by their number, those of 3GPP2 and WiMAX as AVPs of that
vendor with the same number, in the clear, whole and without WiMAX's continuation octet.
"""

from typing import Final

import attrs

from pmip_tw.aaa.diameter.key_avps import carries_keys
from pmip_tw.aaa.diameter.node import Answered, Outcome
from pmip_tw.aaa.dictionaries.of_3gpp2 import VENDOR_3GPP2
from pmip_tw.aaa.profiles.mapping import profile_of
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.aaa.profiles.said import Said
from pmip_tw.errors import AccessDenied, WireError
from pmip_tw.secret import Secret
from pmip_tw.wire.diameter.avps import Avps
from pmip_tw.wire.diameter.codes import Code, Result
from pmip_tw.wire.diameter.message import Message
from pmip_tw.wire.radius import Attribute, Attributes, vendor_specific
from pmip_tw.wire.wimax import VENDOR_WIMAX

_HIGHEST_OF_RADIUS: Final = 255
_NEVER: Final = 0xFFFFFFFF
"""Authorization-Lifetime: no re-authorization is wanted (RFC 6733 8.9)."""


@attrs.frozen(slots=True)
class Granted:
    """Success: ``attributes`` as RADIUS would have them."""

    message: Message
    attributes: Attributes


@attrs.frozen(slots=True)
class Continued:
    """1001: the same is to be asked again with more (RFC 6733 7.1.1)."""

    message: Message


@attrs.frozen(slots=True)
class Denied:
    """The server has decided: no. ``cause`` in words."""

    cause: str
    message: Message


@attrs.frozen(slots=True)
class Failed:
    """Nobody has decided anything; another time it may be different."""

    cause: str


Reading = Granted | Continued | Denied | Failed


def read(outcome: Outcome) -> Reading:
    """What became of asking. Keys that came over an unprotected connection deny it."""
    if not isinstance(outcome, Answered):
        return Failed(outcome.cause)
    message, peer = outcome.message, outcome.peer
    try:
        result = message.result
        if result == Result.MULTI_ROUND_AUTH:
            return Continued(message)
        if result == Result.REDIRECT_INDICATION:
            return Failed(
                f"{peer}: it redirects us (3006), which is not supported: make it a relay, or our peer"
            )
        if 3000 <= result < 4000 or result in _LATER:
            return Failed(f"{peer}: {message.explained()}")
        if not 2000 <= result < 3000:
            return Denied(f"the AAA server rejects it: {message.explained()}", message)
        if not outcome.keys and carries_keys(message.avps):
            return Denied(
                f"{peer} sends keys over a connection that everybody can read: use TLS there, or say allow_plain_keys",
                message,
            )
        return Granted(message, attributes_of(message.avps))
    except (WireError, ValueError) as error:
        return Denied(f"the answer of {peer} cannot be used: {error}", message)


_LATER: Final = frozenset({Result.OUT_OF_SPACE, Result.HA_NOT_AVAILABLE, Result.UNABLE_TO_COMPLY})
"""Not about the node."""


def attributes_of(avps: Avps) -> Attributes:
    """The AVPs that are attributes. ValueError: one of a vendor is longer than any in RADIUS can be."""
    found: list[Attribute] = []
    for avp in avps:
        if not avp.vendor and avp.code <= _HIGHEST_OF_RADIUS:
            found.append((avp.code, avp.data))
        elif avp.vendor in (VENDOR_3GPP2, VENDOR_WIMAX) and avp.code <= _HIGHEST_OF_RADIUS:
            found.append(vendor_specific(avp.vendor, avp.code, avp.data))
    return Attributes(found)


def named(granted: Granted, nai: str) -> Granted:
    """For a session whose node has a name already: it stays if the server says none."""
    if granted.attributes.first(Code.USER_NAME) is not None:
        return granted
    return attrs.evolve(granted, attributes=granted.attributes.followed_by([(Code.USER_NAME, nai.encode())]))


def profile_in(granted: Granted, rules: ProfileRules, user_name: str | None, session: str) -> Profile:
    """The node that was asked about as ``user_name``, None if that proves nothing.

    AccessDenied: it may not be served, and why.

    Authorization-Lifetime ends a session's authorization as Session-Timeout ends the session: whichever is earlier.
    """
    profile = profile_of(Said(granted.attributes, Secret, fragmented=False), rules, user_name)
    try:
        lifetime = granted.message.avps.number(Code.AUTHORIZATION_LIFETIME)
    except WireError as error:
        raise AccessDenied(str(error)) from None
    if lifetime and lifetime != _NEVER and not 0 < profile.session_timeout <= lifetime:
        profile = attrs.evolve(profile, session_timeout=lifetime, reauthenticate=True)
    return attrs.evolve(profile, aaa_session_id=session.encode())
