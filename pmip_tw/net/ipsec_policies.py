"""The kernel's IPsec policies by netlink (IIpsecPolicies): whether signalling is taken without ESP (P74).

A program cannot see whether a datagram came through ESP. The kernel's inbound policy can demand it, and does so before
any socket hears of it.
"""

import os
import socket
import sys
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from zope.interface import implementer

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IIpsecPolicies
from pmip_tw.mobility.tunnels import SIGNALLING_PORT

# linux/netlink.h, linux/xfrm.h
_NETLINK_XFRM = 6
_GET_POLICY = 0x15
_NEW_POLICY = 0x13
_DONE, _ERROR = 3, 2
_REQUEST_DUMP = 0x301
_TEMPLATES, _MARK, _INTERFACE_ID = 5, 21, 31
_INBOUND, _ALLOW = 0, 0
_ESP, _UDP, _ANY = 50, 17, 0

_HEADER = Struct("=IHHII")
_SELECTOR = Struct("!4s12x4s12xHHHH")
"""Destination, source, destination port and its mask, source port and its mask; IPv4 in the first of 16 octets."""
_SELECTOR_TAIL = Struct("=HBBB")
"""Family, prefix lengths of destination and source, protocol; behind the above."""
_INTERFACE = Struct("=i")
_INTERFACE_AT = 48
_PRIORITY = Struct("=II")
_PRIORITY_AT = 56 + 64 + 32
_DIRECTION_AT = _PRIORITY_AT + 8
_POLICY_SIZE = 168
_ATTRIBUTE = Struct("=HH")
_TEMPLATE_SIZE = 64
_TEMPLATE_PROTOCOL_AT, _TEMPLATE_OPTIONAL_AT = 20, 50
_POLICY_ID = bytes(64)


class Policy(NamedTuple):
    """What is looked at of one inbound policy for IPv4. ``demands_esp``: what matches is dropped without ESP.

    ``is_narrow``: only what comes from some port of the peer, by some interface, or has some mark.
    """

    order: tuple[int, int]
    source: Ipv4
    source_mask: int
    is_narrow: bool
    destination: Ipv4
    destination_mask: int
    destination_port: int
    destination_port_mask: int
    protocol: int
    demands_esp: bool

    def touches(self, peer: Ipv4, local: Ipv4) -> bool:
        """Whether it decides about some of what ``peer`` sends to UDP 434 of ``local``."""
        return (
            (peer ^ self.source) & self.source_mask == 0
            and (local ^ self.destination) & self.destination_mask == 0
            and self.protocol in (_UDP, _ANY)
            and (SIGNALLING_PORT ^ self.destination_port) & self.destination_port_mask == 0
        )


def esp_is_demanded(policies: list[Policy], peer: Ipv4, local: Ipv4) -> bool:
    """Whether nothing from ``peer`` reaches UDP 434 of ``local`` without ESP: the first policy that fits decides."""
    for policy in sorted(policy for policy in policies if policy.touches(peer, local)):
        if not policy.demands_esp:
            return False
        if not policy.is_narrow:
            return True
    return False


@implementer(IIpsecPolicies)
class KernelPolicies:
    """Asks the kernel each time."""

    def requires_esp(self, peer: Ipv4, local: Ipv4) -> bool:
        try:
            return esp_is_demanded(list(_inbound_policies()), peer, local)
        except OSError as error:
            raise PmipError(f"the kernel's IPsec policies cannot be read: {error.strerror}") from error


def _inbound_policies() -> Iterator[Policy]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_XFRM) as netlink:
        netlink.bind((0, 0))
        request = _HEADER.pack(_HEADER.size + len(_POLICY_ID), _GET_POLICY, _REQUEST_DUMP, 1, 0)
        netlink.send(request + _POLICY_ID)
        while True:
            answer = netlink.recv(1 << 16)
            position = 0
            while position < len(answer):
                length, kind, _, _, _ = _HEADER.unpack_from(answer, position)
                body = answer[position + _HEADER.size : position + length]
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    number = -int.from_bytes(body[:4], sys.byteorder, signed=True)
                    raise OSError(number, os.strerror(number))
                policy = _policy(body) if kind == _NEW_POLICY else None
                if policy is not None:
                    yield policy
                position += -(-length // 4) * 4


def _policy(body: bytes) -> Policy | None:
    """None for other directions and families."""
    destination, source, port, port_mask, _, source_port_mask = _SELECTOR.unpack_from(body)
    family, destination_length, source_length, protocol = _SELECTOR_TAIL.unpack_from(body, _SELECTOR.size)
    priority, index = _PRIORITY.unpack_from(body, _PRIORITY_AT)
    (interface,) = _INTERFACE.unpack_from(body, _INTERFACE_AT)
    direction, action = body[_DIRECTION_AT : _DIRECTION_AT + 2]
    if direction != _INBOUND or family != socket.AF_INET:
        return None
    attributes = dict(_attributes(body))
    marked = any(attributes.get(_MARK, b"")[4:8]) or any(attributes.get(_INTERFACE_ID, b""))
    return Policy(
        order=(priority, index),
        source=Ipv4(int.from_bytes(source, "big")),
        source_mask=_mask(source_length),
        is_narrow=bool(source_port_mask or interface or marked),
        destination=Ipv4(int.from_bytes(destination, "big")),
        destination_mask=_mask(destination_length),
        destination_port=port,
        destination_port_mask=port_mask,
        protocol=protocol,
        demands_esp=action != _ALLOW or _has_esp(attributes.get(_TEMPLATES, b"")),
    )


def _attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    position = _POLICY_SIZE
    while position + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, position)
        yield kind, body[position + _ATTRIBUTE.size : position + length]
        position += max(4, -(-length // 4) * 4)


def _has_esp(templates: bytes) -> bool:
    return any(
        templates[at + _TEMPLATE_PROTOCOL_AT] == _ESP and not templates[at + _TEMPLATE_OPTIONAL_AT]
        for at in range(0, len(templates), _TEMPLATE_SIZE)
    )


def _mask(length: int) -> int:
    return 0xFFFFFFFF << (32 - length) & 0xFFFFFFFF
