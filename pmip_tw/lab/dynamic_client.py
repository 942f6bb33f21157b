"""An AAA server's voice in a running session: radclient, which asks a MAG or an LMA to change or to end it."""

import re
import time
from typing import Final

import attrs

from pmip_tw.lab.topology import Namespace
from pmip_tw.lab.world import World

PROGRAM: Final = "radclient"
PORT: Final = 3799
_ANSWER: Final = re.compile(r"Received (\S+) Id (\d+)")
_ERROR_CAUSE: Final = re.compile(r"Error-Cause = (\S+)")


@attrs.frozen(slots=True, kw_only=True)
class Answer:
    """``code``: "CoA-ACK", "Disconnect-NAK" ..., "" for none at all. ``error_cause``: of a refusal, "" for none."""

    code: str
    error_cause: str = ""


async def request(
    world: World,
    host: Namespace,
    kind: str,
    agent: str,
    secret: str,
    *attributes: str,
    name: str,
    instant: float | None = None,
) -> Answer:
    """Ask the MAG or LMA at the address ``agent`` once, from ``host``: ``kind`` is "coa" or "disconnect", attributes
    are as radclient writes them. ``instant``: Unix seconds that the request says it is of, by default now."""
    said = int(time.time() if instant is None else instant)
    text = ",".join([*attributes, f"Event-Timestamp={said}", "Message-Authenticator=0x00"])
    question = world.directory / f"{name}.request"
    question.write_text(f"{text}\n")
    secret_file = world.directory / f"{name}.secret"
    secret_file.touch(mode=0o600)
    secret_file.write_text(f"{secret}\n")
    command = [
        PROGRAM,
        "-x",
        "-r",
        "1",
        "-t",
        "2",
        "-f",
        str(question),
        "-S",
        str(secret_file),
        f"{agent}:{PORT}",
        kind,
    ]
    program = await world.start(name, host, *command)
    await program.ended(within=10)
    found, cause = _ANSWER.search(program.text), _ERROR_CAUSE.search(program.text)
    return Answer(code=found[1] if found else "", error_cause=cause[1] if cause else "")
