"""What a setting's value must satisfy beyond its type. Each rule raises ValueError with the text for the operator."""

import re
from typing import Protocol

import attrs

from pmip_tw.aaa.key_hierarchy import EMSK_SIZE
from pmip_tw.addresses import Ipv4, Mac, ipv4_text, mac_text
from pmip_tw.mobility.associations import MINIMUM_SPI
from pmip_tw.mobility.mn_aaa import CHAP_SPI
from pmip_tw.secret import Secret

LONGEST_INTERFACE_NAME = 15
"""The kernel's IFNAMSIZ less the closing zero."""

LONGEST_SOCKET_PATH = 107
"""``sun_path`` less the closing zero, in octets."""

LONGEST_OPTION_TEXT = 100
"""Octets: all of option 82 has 255."""

LONGEST_NAI = 253
"""What fits a RADIUS User-Name and a NAI extension's Length (RFC 7542 2.3)."""

LONGEST_IDENTITY = 253
"""Octets: what fits a RADIUS NAS-Identifier (RFC 2865 5.32)."""

KERNEL_TABLES = range(253, 256)
"""Routing tables with a meaning of their own: default, main, local."""

MOST_NAME_SERVERS = 16
"""More fit no DHCP answer to a node with little room (RFC 2131 2), and no resolver asks as many."""

SHORTEST_KEY = 8
"""Octets; anything shorter can be guessed by whoever records one registration."""


class Rule(Protocol):
    """Stands in ``Annotated[type, rule]`` and is asked after the type is right."""

    def check(self, value: object, /) -> None:
        """ValueError says what is wrong and what would be right."""


@attrs.frozen(slots=True)
class Within:
    """A number from ``least`` (or above it) to ``most``."""

    least: float
    most: float
    above: bool = attrs.field(default=False, kw_only=True)

    def check(self, value: object, /) -> None:
        assert isinstance(value, int | float)
        fits = self.least <= value <= self.most and not (self.above and value == self.least)
        if not fits:  # as it is for nan, too
            bounds = f"above {self.least} and at most" if self.above else f"from {self.least} to"
            printed = value if isinstance(value, float) or value.bit_length() <= 64 else "such a large number"
            raise ValueError(f"must be {bounds} {self.most}, not {printed}")


class Identity:
    """A text of at least one visible character on one line, no longer than AAA can be told."""

    def check(self, value: object, /) -> None:
        assert isinstance(value, str)
        if not value.strip() or not value.isprintable():
            raise ValueError(f"must be a name in printable characters, not {value!r}")
        octets = len(value.encode())
        if octets > LONGEST_IDENTITY:
            raise ValueError(f"is {octets} octets long; RADIUS takes at most {LONGEST_IDENTITY}")


_INTERFACE_NAME = re.compile(rf"[A-Za-z0-9_.@-]{{1,{LONGEST_INTERFACE_NAME}}}")


_NO_INTERFACES = (".", "..", "all", "default")
"""What would be another directory under /proc/sys/net/ipv4/conf."""


@attrs.frozen(slots=True, kw_only=True)
class InterfaceName:
    """A name that the kernel would take, in characters that mean nothing to any tool that it is handed to."""

    may_be_empty: bool = False

    def check(self, value: object, /) -> None:
        assert isinstance(value, str)
        if not value and self.may_be_empty:
            return
        if not _INTERFACE_NAME.fullmatch(value) or value in _NO_INTERFACES:
            raise ValueError(
                f"{value!r} is not an interface name"
                f" (1 to {LONGEST_INTERFACE_NAME} letters, digits and _ . @ -, such as eth1)"
            )


class OptionText:
    """What fits a sub-option of DHCP beside others, in ASCII (RFC 3993 3.1)."""

    def check(self, value: object, /) -> None:
        assert isinstance(value, str)
        if not (value.isascii() and (value.isprintable() or not value)) or len(value) > LONGEST_OPTION_TEXT:
            raise ValueError(
                f"must be at most {LONGEST_OPTION_TEXT} printable ASCII characters, not {value[:40]!r}"
            )


class SocketPath:
    """A path that a unix socket can have."""

    def check(self, value: object, /) -> None:
        assert isinstance(value, str)
        if not value or "\0" in value:
            raise ValueError("must be the path of a unix socket, such as /run/pmip.sock")
        octets = len(value.encode())
        if octets > LONGEST_SOCKET_PATH:
            raise ValueError(f"is {octets} octets long; a socket's path has at most {LONGEST_SOCKET_PATH}")


class JournalPath:
    """The path of a file that the daemon writes, or none; it must not depend on where the daemon was started."""

    def check(self, value: object, /) -> None:
        assert isinstance(value, str)
        if value and (not value.startswith("/") or value.endswith("/") or "\0" in value):
            raise ValueError(
                f'must be a file with its whole path, such as /var/lib/pmip/lma.journal, or "" for none, not {value!r}'
            )


class FilePath:
    """The path of a file that is read when the daemon starts, or none."""

    def check(self, value: object, /) -> None:
        assert isinstance(value, str)
        if value and (not value.startswith("/") or "\0" in value):
            raise ValueError(f"must be a file with its whole path, such as /etc/pmip/ca.pem, not {value!r}")


def _is_one_word(text: str) -> bool:
    return text.isprintable() and not any(character.isspace() for character in text)


class Nai:
    """A network access identifier, with or without a realm (RFC 7542 2.2)."""

    def check(self, value: object, /) -> None:
        assert isinstance(value, str)
        user, at, realm = value.partition("@")
        if not value or not _is_one_word(value) or "@" in realm or not (user or realm) or (at and not realm):
            raise ValueError(f"{value!r} is not a network access identifier (such as mn1@example.net)")
        if len(value.encode()) > LONGEST_NAI:
            raise ValueError(f"is longer than {LONGEST_NAI} octets")


@attrs.frozen(slots=True, kw_only=True)
class Realm:
    """The part of a NAI after the @."""

    may_be_empty: bool = False

    def check(self, value: object, /) -> None:
        assert isinstance(value, str)
        if not value and self.may_be_empty:
            return
        if not value or not _is_one_word(value) or "@" in value:
            raise ValueError(f"{value!r} is not a realm (what follows the @, such as example.net)")
        if len(value.encode()) > LONGEST_NAI - len("02:00:00:00:00:01@"):
            raise ValueError("is too long for a realm")


_DIAMETER_NAME = re.compile(
    r"(?=.{1,255}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.I
)


class DiameterName:
    """A DiameterIdentity: the name of a host or realm as DNS writes it (RFC 6733 4.3.1)."""

    def check(self, value: object, /) -> None:
        assert isinstance(value, str)
        if not _DIAMETER_NAME.fullmatch(value):
            raise ValueError(f"{value[:80]!r} is no name of a host or realm (such as aaa1.example.net)")


@attrs.frozen(slots=True, kw_only=True)
class Host:
    """An address that one machine can have; 0.0.0.0, for none, only where that may be."""

    may_be_zero: bool = False

    def check(self, value: object, /) -> None:
        address = Ipv4(value) if isinstance(value, int) else Ipv4(0)
        if address == 0 and self.may_be_zero:
            return
        if address >> 24 == 0 or address >> 28 >= 0xE:
            raise ValueError(f"{ipv4_text(address)} is not the address of a machine")


@attrs.frozen(slots=True)
class AtMost:
    """A list of no more than ``most`` elements."""

    most: int

    def check(self, value: object, /) -> None:
        assert isinstance(value, tuple)
        if len(value) > self.most:
            raise ValueError(f"has {len(value)} elements; there is room for {self.most}")


class Station:
    """An Ethernet address of one station: no group address, not all zero."""

    def check(self, value: object, /) -> None:
        assert isinstance(value, bytes)
        if value[0] & 1 or not any(value):
            raise ValueError(f"{mac_text(Mac(value))} is not the address of one station")


class Key:
    """A key long enough to be one."""

    def check(self, value: object, /) -> None:
        assert isinstance(value, Secret)
        if len(value) < SHORTEST_KEY:
            raise ValueError(f"is too short ({len(value)} of at least {SHORTEST_KEY} octets, better 16)")


class Emsk:
    """What an EAP method has left (RFC 3748 7.10), from which keys are derived."""

    def check(self, value: object, /) -> None:
        assert isinstance(value, Secret)
        if len(value) < EMSK_SIZE:
            raise ValueError(f"is too short ({len(value)} of at least {EMSK_SIZE} octets)")


class AaaSpi:
    """The SPI of an MN-AAA key (RFC 4721 7)."""

    def check(self, value: object, /) -> None:
        assert isinstance(value, int)
        if value != CHAP_SPI and not MINIMUM_SPI <= value <= 0xFFFFFFFF:
            raise ValueError(f"must be {CHAP_SPI} (CHAP) or from {MINIMUM_SPI} to 4294967295, not {value}")


class Choices:
    """At least one of several words, and none twice."""

    def check(self, value: object, /) -> None:
        assert isinstance(value, tuple)
        if not value:
            raise ValueError("must have at least one element")
        if len(set(value)) < len(value):
            raise ValueError(f"has {next(word for word in value if value.count(word) > 1)!r} twice")


class RoutingTable:
    """A routing table of the kernel that is nobody's yet."""

    def check(self, value: object, /) -> None:
        assert isinstance(value, int)
        if value in KERNEL_TABLES or not 1 <= value <= 0xFFFFFFFF:
            printed = value if value.bit_length() <= 64 else "such a large number"
            raise ValueError(f"must be a routing table (1 to 252, or 256 to 4294967295), not {printed}")
