"""``[lma.keys]``: keys that an LMA asks AAA for; and what may be wrong there. All durations are seconds."""

from typing import Annotated, Literal

import attrs

from pmip_tw.config.limits import Choices, Realm, Within
from pmip_tw.config.settings.dynamic_authorization import UnknownFilter
from pmip_tw.mobility.authenticators import Algorithm

KeySource = Literal["wimax", "3gpp2"]


@attrs.frozen(slots=True, kw_only=True)
class RealmKeys:
    """``[[lma.keys.realms]]``: the algorithm with which keys of nodes of ``realms`` are used."""

    realms: tuple[Annotated[str, Realm(may_be_empty=True)], ...]
    algorithm: Algorithm


@attrs.frozen(slots=True, kw_only=True)
class KeySettings:
    """``[lma.keys]``: see ``lma/keys/policy.py``, whose names are shorter."""

    precedence: Annotated[tuple[KeySource, ...], Choices()] = ("wimax", "3gpp2")
    realms: tuple[RealmKeys, ...] = ()
    lifetime: Annotated[int, Within(60, 0x7FFFFFFF)] = 86_400
    grace: Annotated[int, Within(0, 0x7FFFFFFF)] = 3_600
    overlap: Annotated[int, Within(0, 86_400)] = 60
    reject_hold: Annotated[float, Within(0, 86_400)] = 30
    recheck: Annotated[float, Within(1, 86_400)] = 10
    max_keys: Annotated[int, Within(100, 100_000_000)] = 1_000_000
    max_rate: Annotated[int, Within(10, 1_000_000)] = 1_000
    max_outstanding: Annotated[int, Within(2, 65_536)] = 128
    unknown_filter: UnknownFilter = "reject"
