"""Do independent eyes understand what the daemons sent? tshark's, or our own where it is missing."""

from pathlib import Path
from typing import Final

import attrs

from pmip_tw.lab.heard import Heard
from pmip_tw.lab.messages import Kind
from pmip_tw.lab.programs import available, run
from pmip_tw.lab.report import Check

TSHARK: Final = "tshark"
_FIELDS: Final = ("frame.number", "frame.interface_name", "mip.type", "_ws.malformed")


@attrs.frozen(slots=True, kw_only=True)
class _Row:
    number: str
    tap: str
    type: str
    malformed: str


async def decoding_check(name: str, capture: Path, heard: Heard, taps: frozenset[str]) -> Check:
    """Every registration and revocation message at ``taps`` decodes, and as many are seen as we heard."""
    signalling = (Kind.REGISTRATION, Kind.REVOCATION, Kind.UNDECODABLE)
    ours = [message for message in heard.messages if message.kind in signalling and message.tap in taps]
    unclear = [message.note for message in ours if message.kind is Kind.UNDECODABLE]
    if unclear:
        return Check(name=name, passed=False, detail=f"{len(unclear)} not decodable, the first: {unclear[0]}")
    if not available(TSHARK):
        return Check(
            name=name,
            passed=bool(ours),
            detail=f"{len(ours)}, by our own decoder: tshark is not installed",
        )
    rows = [row for row in await _ask_tshark(capture) if row.tap in taps]
    bad = [row for row in rows if row.malformed or row.type not in ("1", "3", "7", "15")]
    if bad:
        detail = f"{len(bad)} of {len(rows)} malformed for tshark, the first is frame {bad[0].number}"
        return Check(name=name, passed=False, detail=detail)
    return Check(
        name=name,
        passed=0 < len(rows) == len(ours),
        detail=f"{len(rows)}, none malformed"
        if len(rows) == len(ours)
        else f"tshark saw {len(rows)} messages, we heard {len(ours)}",
    )


async def _ask_tshark(capture: Path) -> list[_Row]:
    argv = [
        TSHARK,
        "-n",
        "-r",
        str(capture),
        "-Y",
        "udp.port == 434 && !icmp",
        "-T",
        "fields",
        "-E",
        "occurrence=f",
    ]
    for field in _FIELDS:
        argv += ["-e", field]
    status, out, err = await run(argv, within=60)
    if status != 0:
        return [_Row(number="0", tap="", type="", malformed=err)]
    found = []
    for line in out.splitlines():
        number, tap, kind, malformed = line.split("\t")
        found.append(_Row(number=number, tap=tap, type=kind, malformed=malformed))
    return found
