"""What an LMA asks AAA about the key of a mobile node, and what it is answered (AA10, P29)."""

import attrs

from pmip_tw.aaa.accounting.records import NO_ECHO, Echo
from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.secret import Secret


@attrs.frozen(slots=True, kw_only=True)
class KeyQuestion:
    """Which key has ``nai``, as it stands in a message, under ``spi``, and may it be registered by the MAG at
    ``care_of_address`` with the LMA ``home_agent``? ``root_key``: the LMA has no HA-RK. ``request``: the octets of the
    registration that wants to know, if it is one.

    ``spi`` 0: the registration has no MN-HA, but MN-AAA with ``aaa_spi``. AAA alone can prove it, and says under which
    SPI the key is that answers it (RFC 4004).
    """

    nai: bytes
    spi: int
    home_agent: Ipv4
    care_of_address: Ipv4 = UNSPECIFIED
    root_key: bool = False
    request: bytes = attrs.field(default=b"", eq=False, repr=False)
    aaa_spi: int = attrs.field(default=0, eq=False)

    @property
    def name(self) -> tuple[bytes, int]:
        """What the key is known by."""
        return self.nai, self.spi

    @property
    def about(self) -> tuple[bytes, int, Ipv4]:
        """What is asked: another MAG may be answered otherwise (P29)."""
        return self.nai, self.spi, self.care_of_address


@attrs.frozen(slots=True, kw_only=True)
class HaRootKey:
    """HA-RK of an LMA (AA13). ``lifetime``: seconds from now."""

    spi: int
    key: Secret
    lifetime: int


@attrs.frozen(slots=True, kw_only=True)
class Allowed:
    """What AAA lets the node have; None: it does not say.

    Seconds: ``lifetime`` of registrations, at most; ``session_timeout``, ``idle_timeout``, after which the session
    ends, 0 = never; ``interim_interval``, between accounting records. ``filter_ids``: names of filters, in order.
    """

    lifetime: int | None = None
    session_timeout: int | None = None
    idle_timeout: int | None = None
    interim_interval: int | None = None
    filter_ids: tuple[str, ...] | None = None

    @property
    def is_about_sessions(self) -> bool:
        """Not only about the lifetime of registrations."""
        said = (self.session_timeout, self.idle_timeout, self.interim_interval, self.filter_ids)
        return any(one is not None for one in said)


NOTHING_SAID = Allowed()


@attrs.frozen(slots=True, kw_only=True)
class KeyGiven:
    """It may. Seconds: ``lifetime`` of the key, 0 if AAA says none; ``home_address``: 0 if the LMA chooses.

    ``proven``: AAA has found the octets of ``KeyQuestion.request`` to be the node's, which registers it for ``longest``
    seconds at most. ``echo``: for accounting.
    ``ignored``: what else the answer has that cannot be used, and why.
    """

    association: SecurityAssociation
    lifetime: int = 0
    home_address: Ipv4 = UNSPECIFIED
    root_key: HaRootKey | None = None
    allowed: Allowed = NOTHING_SAID
    proven: bool = False
    longest: int = 0xFFFF
    echo: Echo = NO_ECHO
    ignored: str = ""


@attrs.frozen(slots=True)
class KeyRefused:
    """It may not, or AAA's answer cannot be used; ``cause`` in words for a person.

    ``about_request``: AAA has judged the octets of ``KeyQuestion.request``, which prove nothing; another request may.
    """

    cause: str
    about_request: bool = False


@attrs.frozen(slots=True)
class KeyUnavailable:
    """Nobody gave a usable answer; ``cause`` names each server and what is wrong with it."""

    cause: str


@attrs.frozen(slots=True, kw_only=True)
class Brought:
    """Nobody has asked: AAA comes with ``KeyQuestion.request``, which it has found to be the node's (RFC 4004 5.3).

    ``association``: MN-HA, None for whatever there is; ``agent``: FA-HA with the agent at the care-of address, None for
    none. ``lifetime``: of both, 0 if AAA says none. ``longest``: seconds for which the node may be registered by that;
    ``authorized``: after which it is not served any more unless AAA has been heard of again, 0 = no end.
    """

    association: SecurityAssociation | None = None
    agent: SecurityAssociation | None = None
    lifetime: int = 0
    longest: int = 0xFFFF
    authorized: int = 0
    home_address: Ipv4 = UNSPECIFIED


KeyAnswer = KeyGiven | KeyRefused | KeyUnavailable
