"""What AAA may do to sessions that go on, as typed values: ``[mag.dynamic_authorization]``, ``[[mag.filters]]`` and the
same of an LMA; names and defaults are those that ``conf/*.toml`` explain.
"""

import re
from typing import Annotated, Literal

import attrs

from pmip_tw.aaa.radius.authorization_server import DEFAULT_AHEAD, DEFAULT_WINDOW
from pmip_tw.config.limits import AtMost, Within
from pmip_tw.config.settings.value_types import HostAddress, Port
from pmip_tw.mobility.filter_grammar import filter_rule
from pmip_tw.mobility.packet_filters import PacketFilter
from pmip_tw.secret import Secret

DYNAMIC_AUTHORIZATION_PORT = 3799

_MOST_RULES = 1000
_FILTER_NAME = re.compile(r"[\x21-\x7e]{1,253}")

UnknownFilter = Literal["reject", "ignore"]
FilterDefault = Literal["permit", "deny"]


class FilterName:
    """What fits a Filter-Id and a counter's name (RFC 2865 5.11)."""

    def check(self, value: object, /) -> None:
        assert isinstance(value, str)
        if not _FILTER_NAME.fullmatch(value):
            raise ValueError(
                f"{value[:40]!r} is not the name of a filter: up to 253 visible ASCII characters"
            )


class FilterRuleText:
    """One line of a filter, see ``mobility/filter_grammar.py``."""

    def check(self, value: object, /) -> None:
        assert isinstance(value, str)
        try:
            filter_rule(value)
        except ValueError as error:
            raise ValueError(f"{value[:80]!r} {error}") from None


@attrs.frozen(slots=True, kw_only=True)
class Filter:
    """``[[mag.filters]]``, ``[[lma.filters]]``: ``default`` is for what no rule is about."""

    name: Annotated[str, FilterName()]
    rules: Annotated[tuple[Annotated[str, FilterRuleText()], ...], AtMost(_MOST_RULES)] = ()
    default: FilterDefault = "deny"

    @property
    def compiled(self) -> PacketFilter:
        return PacketFilter(self.name, tuple(map(filter_rule, self.rules)), self.default == "permit")


@attrs.frozen(slots=True, kw_only=True)
class AuthorizationClient:
    """``[[mag.dynamic_authorization.clients]]``: who may ask."""

    address: HostAddress
    secret: Secret


@attrs.frozen(slots=True, kw_only=True)
class DynamicAuthorizationSettings:
    """``[mag.dynamic_authorization]``, ``[lma.dynamic_authorization]``."""

    clients: tuple[AuthorizationClient, ...]
    port: Port = DYNAMIC_AUTHORIZATION_PORT
    window: Annotated[float, Within(1, 86_400)] = DEFAULT_WINDOW
    ahead: Annotated[float, Within(0, 86_400)] = DEFAULT_AHEAD
    require_event_timestamp: bool = True
    require_message_authenticator: bool = False
