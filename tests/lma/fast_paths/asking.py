"""Requests as MAGs write them, and as nobody does."""

import random
from typing import Any

from pmip_tw.addresses import ALL_ONES, Ipv4, ipv4
from pmip_tw.mobility.replay import ntp_timestamp
from pmip_tw.wire.authentication import append_signature
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelRequest
from pmip_tw.wire.extensions import FA_HA, GENERALIZED_AUTHENTICATION, MN_HA, long, simple
from pmip_tw.wire.registration import (
    BROADCASTS,
    COLOCATED,
    GRE,
    MINIMAL,
    REQUEST_HEADER,
    REVERSE_TUNNEL,
    SIMULTANEOUS,
)
from tests.lma.anchor import LMA, MAG1, MAG2, MAG3, NAT, Anchor, association
from tests.lma.fast_paths.subject import AAA, BETWEEN, FIXED, FURTHER, KEYS, NAMES, OLD

FLAGS = (
    COLOCATED,
    REVERSE_TUNNEL,
    *(REVERSE_TUNNEL | COLOCATED | bit for bit in (SIMULTANEOUS, SIMULTANEOUS, BROADCASTS, GRE, MINIMAL, 1)),
)

# What few requests have.
BEFORE_MN_HA = {
    "key": long(48, 0, bytes(3) + b"\7"),
    "identifier": bytes((147, 4, 1, 1, 2, 3)),
    "host configuration": bytes((134, 11)) + bytes(11),
    "critical": long(38, 0, bytes(8)),
    "unknown": bytes((200, 1, 0)),
    "by fa-ha": long(47, 1, b"\1"),
    "reserved in 144": bytes((144, 6, 0, 0, 4, 0, 1, 0)),
    "pad": bytes(1),
    "long 137": simple(137, bytes(9)),
    "challenge": simple(132, b"challenge"),
}
BEHIND_MN_HA = ("144", "mn-aaa", "fa-ha")

USUAL = {"support": RevocationSupport(9), "udp": UdpTunnelRequest(), "technology": 4}


def drawn_fields(draw: random.Random, habit: dict[str, Any], source: Ipv4, oddity: float) -> dict[str, Any]:
    """Of a request: nearly always the usual ones of its MAG."""
    fields = dict(habit)
    if source == NAT:
        fields["udp"] = UdpTunnelRequest()
    fields["home"] = draw.choice(("own", 0))
    for name, odds, values in (
        ("home", 0.3, (ALL_ONES, FIXED, ipv4("10.1.0.2"), ipv4("10.1.0.3"), ipv4("10.2.0.1"))),
        ("lifetime", 0.15, (0, 0, 0, 5, 601, 65535)),
        ("flags", 0.1, FLAGS),
        ("agent", 0.05, (Ipv4(0), ALL_ONES, MAG1)),
        ("skew", 0.04, (5.0, -5.0, 9.0, -9.0)),
        ("support", 0.05, (None, RevocationSupport(77), RevocationSupport(9, inform=True))),
        ("udp", 0.05, (None, UdpTunnelRequest(), UdpTunnelRequest(forced=True), UdpTunnelRequest(encapsulation=47))),
        ("technology", 0.05, (None, 4, 3)),
        ("extra", 0.1, (*BEFORE_MN_HA, *BEHIND_MN_HA, "again", "order")),
        ("signed", 0.08, ("wrong", "wrong", "short", "old", "second", "not")),
        ("other care-of", 0.04, (MAG1, MAG2, MAG3)),
    ):  # fmt: skip
        if draw.random() < odds * oddity:
            fields[name] = draw.choice(values)
    if "timestamp" in habit and isinstance(fields.get("support"), RevocationSupport):
        fields["support"] = RevocationSupport(draw.randrange(100), fields["support"].inform)
    return fields


def request(subject: Anchor, number: int, node: int, care_of_address: Ipv4, fields: dict[str, Any]) -> bytes:
    """The ``number``th request, of ``node`` by the MAG at ``care_of_address``, written extension by extension."""
    bound = subject.engine.bindings.get(NAMES[node])
    home = fields["home"]
    if home == "own":
        home = 0 if bound is None else bound.home_address
    clock = subject.engine._clock.of(subject.clock.now()).wall
    fixed = REQUEST_HEADER.pack(
        int(MessageType.REGISTRATION_REQUEST),
        fields.get("flags", REVERSE_TUNNEL | COLOCATED),
        fields.get("lifetime", 600),
        home,
        fields.get("agent", LMA),
        fields.get("other care-of", care_of_address),
        ntp_timestamp(clock + fields.get("skew", 0.0)) + number,
    )
    return _authenticated(fixed + b"".join(_extensions(node, fields)), node, fields)


def _extensions(node: int, fields: dict[str, Any]) -> list[bytes]:
    extra = fields.get("extra")
    parts = [bytes((131, len(NAMES[node]))) + NAMES[node]]
    if fields.get("technology") is not None:
        parts.append(bytes((147, 2, 4, fields["technology"])))
    if fields.get("udp") is not None and extra != "reserved in 144":
        parts.append(fields["udp"].encode())
    if extra in BEFORE_MN_HA:
        parts.append(BEFORE_MN_HA[extra])
    if fields.get("support") is not None and extra != "long 137":
        parts.append(fields["support"].encode())
    if extra == "again":
        parts.append(parts[-1])
    return parts[::-1] if extra == "order" else parts


def _authenticated(whole: bytes, node: int, fields: dict[str, Any]) -> bytes:
    signed, extra = fields.get("signed"), fields.get("extra")
    key = {"old": OLD, "second": FURTHER}.get(signed, KEYS.get(node, association(9)))
    if signed == "short":
        whole += bytes((MN_HA, 4)) + key.spi.to_bytes(4, "big")
    elif signed != "not":
        whole = append_signature(whole, MN_HA, key)
    if signed == "wrong":
        whole = whole[:-1] + bytes((whole[-1] ^ 1,))
    if extra == "144":
        whole += UdpTunnelRequest().encode()
    elif extra in ("mn-aaa", "challenge"):
        whole = append_signature(
            whole, GENERALIZED_AUTHENTICATION, AAA.over(b"challenge" if extra == "challenge" else None)
        )
    if extra in ("fa-ha", "by fa-ha", "144"):
        whole = append_signature(whole, FA_HA, BETWEEN)
    return whole
