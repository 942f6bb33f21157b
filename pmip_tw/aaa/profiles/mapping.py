"""From what AAA has said to a Profile, field by field, each from the first source that says something of it (AA1, AA9).

Only an Access-Accept authorizes, or Diameter's success. Unknown attributes are ignored (AA7), and what a source before
has given is not even looked at further on; what is used and cannot be refuses the node (AA8), unless no
service rests on it. Key and SPI are used as
they are delivered, never derived or recomputed (AA11).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar, cast

from pmip_tw.aaa.dictionaries.of_3gpp2 import VENDOR_3GPP2
from pmip_tw.aaa.profiles.of_3gpp2 import ThreegppTwoSource
from pmip_tw.aaa.profiles.of_radius import RadiusSource
from pmip_tw.aaa.profiles.of_users import UserSource
from pmip_tw.aaa.profiles.of_wimax import WimaxSource
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.profiles.rules import NO_DEFAULTS, LocalSource, ProfileRules
from pmip_tw.aaa.profiles.said import Said
from pmip_tw.aaa.profiles.source import Keyed, Source
from pmip_tw.addresses import UNSPECIFIED
from pmip_tw.errors import AccessDenied
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.wire.wimax import VENDOR_WIMAX

Item = TypeVar("Item")


def profile_of(said: Said, rules: ProfileRules, user_name: str | None) -> Profile:
    """The node that AAA was asked about as ``user_name``; None: by what proves nothing, so that AAA has to name it.

    AccessDenied: it may not be served, and why.
    """
    known = dict(_dialects(said, rules))
    for source in known.values():
        denied = source.denied()
        if denied:
            raise AccessDenied(denied)
    nai = _first_of(known.values(), Source.nai) or _name_of_ours(user_name, rules)
    defaults = rules.defaults_of(nai)
    if defaults is not NO_DEFAULTS:
        known["local"] = LocalSource(defaults)
    if nai in rules.users:
        known["users"] = UserSource(rules.users[nai])
    sources = [known[name] for name in rules.precedence if name in known]

    def item(of: Callable[[Source], Item | None], nothing: Item) -> Item:
        found = _first_of(sources, of)
        return nothing if found is None else found

    keyed = cast("Keyed | None", _first_of(sources, Source.mn_ha))  # its union is too much for inference
    return Profile(
        nai=nai,
        lmas=item(Source.lmas, ()),
        mn_ha=_association(keyed, defaults.algorithm),
        mn_aaa=_first_of(sources, Source.mn_aaa),
        fa_rk=_first_of(sources, Source.fa_rk),
        home_address=item(Source.home_address, UNSPECIFIED),
        framed_pool=item(Source.framed_pool, b""),
        dhcp_server=item(Source.dhcp_server, UNSPECIFIED),
        name_servers=item(Source.name_servers, ()),
        lifetime=item(Source.lifetime, 0),
        session_timeout=item(Source.session_timeout, 0),
        idle_timeout=item(Source.idle_timeout, 0),
        interim_interval=item(Source.interim_interval, 0),
        reauthenticate=item(Source.reauthenticate, False),
        filter_ids=item(Source.filter_ids, ()),
        classes=item(Source.classes, ()),
        chargeable_identity=item(Source.chargeable_identity, b""),
        aaa_session_id=item(Source.aaa_session_id, b""),
        correlation_id=item(Source.correlation_id, b""),
        ignored="; ".join(said.ignored),  # last: by then everything was read
    )


def _dialects(said: Said, rules: ProfileRules) -> Iterator[tuple[str, Source]]:
    """By name, in the order of precedence; one that is not named, or that nothing is said in, is not even made."""
    for name in rules.precedence:
        if name == "wimax" and said.speaks(VENDOR_WIMAX):
            yield name, WimaxSource(said, visited=rules.visited)
        elif name == "3gpp2" and said.speaks(VENDOR_3GPP2):
            yield name, ThreegppTwoSource(said)
        elif name == "radius":
            yield name, RadiusSource(said)


def _association(found: Keyed | None, algorithm: Algorithm) -> SecurityAssociation | None:
    """``algorithm``: with which a key is used of which nobody says it (AA12)."""
    return SecurityAssociation(*found, algorithm) if isinstance(found, tuple) else found


def _first_of(sources: Iterable[Source], item: Callable[[Source], Item | None]) -> Item | None:
    """``item`` is one of Source. Nobody is asked for what somebody before has said, or what he never says."""
    name = item.__name__
    for source in sources:
        if name in source.items:
            found: Item | None = getattr(source, name)()
            if found is not None:
                return found
    return None


def _name_of_ours(user_name: str | None, rules: ProfileRules) -> str:
    """AA24: that in the file of users, or one of our realm, if AAA has no name for it."""
    if user_name is None:
        raise AccessDenied(
            "the Access-Accept names nobody (User-Name): with EAP the server has to, since what a node calls itself "
            "before it has proven anything can be anybody's name"
        )
    if user_name in rules.names:
        return rules.names[user_name]
    if rules.default_realm:
        return f"{user_name}@{rules.default_realm}"
    raise AccessDenied(
        "the Access-Accept names no User-Name (the NAI), and no default_realm is configured to make one"
    )
