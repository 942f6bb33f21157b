"""Do independent eyes understand what the daemons sent? tshark's, or our own where it is missing."""

from pathlib import Path
from typing import Final

import attrs

from pmip_tw.lab.heard import Heard
from pmip_tw.lab.messages import Kind
from pmip_tw.lab.programs import ProgramError, available, run
from pmip_tw.lab.report import Check

TSHARK: Final = "tshark"
_FIELDS: Final = (
    "frame.number",
    "frame.interface_name",
    "ip.proto",
    "mip.type",
    "mip.nattt.nexthdr",
    "_ws.malformed",
)
_REGISTERED: Final = ("1", "3", "7", "15")
_TUNNEL_DATA: Final = "4"
_UDP: Final = "17"
_KNOWN: Final = "udp.port == 434 && !(frame[42:1] == fa || frame[42:1] == fb)"
"""tshark does not know the messages of the pre-tunnel, types 250 and 251: the first octet behind the headers."""


@attrs.frozen(slots=True)
class Row:
    """What tshark says of a packet to or from port 434."""

    number: str
    tap: str
    protocol: str
    type: str
    next_header: str
    malformed: str


async def ask_tshark(capture: Path, taps: frozenset[str]) -> list[Row] | None:
    """What it says of the capture, as heard at these taps; None where it is not installed. ProgramError: it cannot."""
    if not available(TSHARK):
        return None
    argv = [TSHARK, "-n", "-r", str(capture), "-Y", _KNOWN, "-T", "fields", "-E", "occurrence=f"]
    for field in _FIELDS:
        argv += ["-e", field]
    status, out, err = await run(argv, within=60)
    if status != 0:
        raise ProgramError(f"tshark does not read {capture}: {err[-300:].strip()}")
    rows = (Row(*line.split("\t")) for line in out.splitlines())
    # An ICMP error quotes what it is about.
    return [row for row in rows if row.tap in taps and row.protocol == _UDP]


def decoding_check(name: str, rows: list[Row] | None, heard: Heard, taps: frozenset[str]) -> Check:
    """Every registration and revocation message at ``taps`` decodes, and as many are seen as we heard."""
    heard_there = [message for message in heard.messages if message.tap in taps]
    unclear = [message.note for message in heard_there if message.kind is Kind.UNDECODABLE]
    if unclear:
        return Check(name=name, passed=False, detail=f"{len(unclear)} not decodable, the first: {unclear[0]}")
    ours = sum(1 for message in heard_there if message.kind in (Kind.REGISTRATION, Kind.REVOCATION))
    if rows is None:
        detail = f"{ours}, by our own decoder: tshark is not installed"
        return Check(name=name, passed=ours > 0, detail=detail)
    rows = [row for row in rows if row.type != _TUNNEL_DATA]
    bad = [row for row in rows if row.malformed or row.type not in _REGISTERED]
    own = sum(1 for message in heard_there if message.kind is Kind.PRE_TUNNEL)
    if bad:
        detail = f"{len(bad)} of {len(rows)} malformed for tshark, the first is frame {bad[0].number}"
    elif len(rows) != ours:
        detail = f"tshark saw {len(rows)} messages, we heard {ours}"
    else:
        detail = f"{ours}, none malformed" + (f"; it does not know {own} of the pre-tunnel" if own else "")
    return Check(name=name, passed=not bad and 0 < len(rows) == ours, detail=detail)


def tunnel_data_check(name: str, rows: list[Row] | None, heard: Heard, taps: frozenset[str]) -> Check:
    """Every packet in UDP at ``taps`` is one of IP in IP, and as many are seen as we heard."""
    ours = sum(heard.in_udp[tap] for tap in taps)
    if rows is None:
        return Check(
            name=name, passed=ours > 0, detail=f"{ours}, by our own decoder: tshark is not installed"
        )
    rows = [row for row in rows if row.type == _TUNNEL_DATA]
    bad = [row for row in rows if row.malformed or row.next_header != "4"]
    if bad:
        detail = f"{len(bad)} of {len(rows)} are wrong for tshark, the first is frame {bad[0].number}"
    elif len(rows) != ours:
        detail = f"tshark saw {len(rows)} packets, we heard {ours}"
    else:
        detail = f"{ours} packets of type 4"
    return Check(name=name, passed=not bad and 0 < len(rows) == ours, detail=detail)
