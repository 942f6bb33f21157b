"""What a server has written down: logins, attachments with their EAP methods, accounting records."""

import re
from collections.abc import Mapping
from typing import Final

import attrs

from pmip_tw.addresses import Mac, mac

_LOGIN: Final = re.compile(r"Login (?P<result>OK|incorrect)[^\[\n]*\[(?P<user>[^]/\n]+)")

Record = Mapping[str, tuple[str, ...]]
"""An accounting record: by the name of the attribute its values in order, without quotes."""


@attrs.frozen(slots=True, kw_only=True)
class Attachment:
    """Somebody was accepted. ``nai``: who it is; ``name``: what it said before that was proven. ``method``: "none" for
    a MAC address alone; ``resumed``: by a TLS session that the server remembered. ``gateway``: Called-Station-Id."""

    mac: Mac
    nai: str
    name: str
    method: str
    resumed: bool
    gateway: str


def authentications(log_text: str) -> list[tuple[Mac, bool]]:
    """Every MAC authentication that the server logged, in order: who, and whether it was accepted."""
    found: list[tuple[Mac, bool]] = []
    for login in _LOGIN.finditer(log_text):
        try:
            found.append((mac(login["user"]), login["result"] == "OK"))
        except ValueError:
            continue  # not a MAC: somebody else's login
    return found


def attachments(text: str) -> list[Attachment]:
    """All of that file, in order. Those without a MAC address are left out."""
    found: list[Attachment] = []
    for line in text.splitlines():
        _, station, nai, name, method, resumed, gateway, _ = line.split("|")
        try:
            address = mac(station)
        except ValueError:
            continue
        found.append(
            Attachment(
                mac=address, nai=nai, name=name, method=method, resumed=resumed == "yes", gateway=gateway
            )
        )
    return found


def records(text: str) -> list[Record]:
    """The accounting records of a detail file, in the order in which they were written."""
    found: list[Record] = []
    for block in text.split("\n\n"):
        record: dict[str, tuple[str, ...]] = {}
        for line in block.splitlines():
            name, equals, value = line.strip().partition(" = ")
            if equals:
                record[name] = (*record.get(name, ()), value.strip('"'))
        if record:
            found.append(record)
    return found
