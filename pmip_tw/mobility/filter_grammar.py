"""How an operator writes a rule of a filter: ``permit both udp 10.0.0.53 port 53``.

    permit | deny    up | down | both    PROTOCOL    WHOM    [port PORTS]    [node-port PORTS]

``up`` is from the mobile node, ``down`` to it. PROTOCOL: ``ip`` for all, ``icmp``, ``tcp``, ``udp``, ``sctp`` or a
number. WHOM: the correspondent, ``any``, an address or a prefix. PORTS: ``80``, ``80,443``, ``1024-65535``; ``port`` is
the correspondent's, ``node-port`` the node's own.
"""

from pmip_tw.addresses import prefix
from pmip_tw.mobility.packet_filters import PROTOCOL_SCTP, WITH_PORTS, FilterRule, PortRange
from pmip_tw.wire.ipv4 import PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP

_PROTOCOLS = {
    "ip": None,
    "icmp": PROTOCOL_ICMP,
    "tcp": PROTOCOL_TCP,
    "udp": PROTOCOL_UDP,
    "sctp": PROTOCOL_SCTP,
}
_ACTIONS = {"permit": True, "deny": False}
_DIRECTIONS = {"up": (True, False), "down": (False, True), "both": (True, True)}
_LEAST_WORDS = 4
_MOST_WORDS = 40
_EXAMPLE = 'such as "permit both udp 10.0.0.53 port 53"'


def filter_rule(text: str) -> FilterRule:
    """ValueError: which word is wrong, and what would be right."""
    words = text.split(maxsplit=_MOST_WORDS)
    if len(words) < _LEAST_WORDS:
        raise ValueError(f"is not ACTION DIRECTION PROTOCOL WHOM, {_EXAMPLE}")
    action, direction, named, whom, *more = words
    if action not in _ACTIONS:
        raise ValueError(f"begins with {action!r} instead of permit or deny, {_EXAMPLE}")
    if direction not in _DIRECTIONS:
        raise ValueError(
            f"has {direction!r} where up (from the mobile node), down (to it) or both must be, {_EXAMPLE}"
        )
    protocol = _protocol(named)
    network, mask = _whom(whom)
    ports = _all_ports(more)
    if ports and protocol not in WITH_PORTS:
        raise ValueError(f"has ports, which {named!r} has not: only tcp, udp and sctp do")
    up, down = _DIRECTIONS[direction]
    return FilterRule(
        permits=_ACTIONS[action],
        up=up,
        down=down,
        protocol=protocol,
        network=network,
        mask=mask,
        ports=ports.get("port", ()),
        node_ports=ports.get("node-port", ()),
    )


def _protocol(word: str) -> int | None:
    if word in _PROTOCOLS:
        return _PROTOCOLS[word]
    number = _number(word)
    if number is None or number > 255:
        raise ValueError(f"has {word!r} where ip, icmp, tcp, udp, sctp or a protocol number must be")
    return number


def _whom(word: str) -> tuple[int, int]:
    if word == "any":
        return 0, 0
    try:
        found = prefix(word if "/" in word else f"{word}/32")
    except ValueError:
        raise ValueError(
            f"has {word!r} where any, an address or a prefix of the correspondent must be"
        ) from None
    return found.network, 0xFFFFFFFF << (32 - found.length) & 0xFFFFFFFF


def _all_ports(words: list[str]) -> dict[str, tuple[PortRange, ...]]:
    found: dict[str, tuple[PortRange, ...]] = {}
    for at in range(0, len(words), 2):
        word = words[at]
        if word not in ("port", "node-port") or word in found:
            raise ValueError(f"goes on with {word!r}, where port or node-port may be, each once")
        if at + 1 == len(words):
            raise ValueError(f"ends with {word}, after which a port must be")
        found[word] = tuple(_port_range(part) for part in words[at + 1].split(","))
    return found


def _port_range(text: str) -> PortRange:
    first, dash, last = text.partition("-")
    low, high = _number(first), _number(last if dash else first)
    if low is None or high is None or low > high or high > 65535:
        raise ValueError(f"has {text!r} where a port, or two of them as in 1024-65535, must be")
    return low, high


def _number(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdigit() and len(word) <= 5 else None
