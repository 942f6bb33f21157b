"""``pmipctl``: asks running daemons over their control sockets, and looks at files of theirs without them.

Exit status: 0, 1 for anything that went wrong, 2 for wrong usage. With ``--json`` every outcome, errors included,
is one JSON object on standard output. Twisted is not imported: this starts in the time that Python needs.
"""

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from pmip_tw.manage.client import BrokenOff, DaemonError, NotRunning, Refused, ask
from pmip_tw.manage.render import printable, table
from pmip_tw.manage.timeline import timeline

LMA_SOCKET = "/run/pmip-lma.sock"
MAG_SOCKET = "/run/pmip-mag.sock"
RELAY_SOCKET = "/run/pmip-dhcp-relay.sock"
UNIT_SOCKETS = {
    LMA_SOCKET: "/run/pmip-lma/control.sock",
    MAG_SOCKET: "/run/pmip-mag/control.sock",
    RELAY_SOCKET: "/run/pmip-dhcp-relay/control.sock",
}
"""Where daemons that systemd runs have theirs: in a directory that is not root's."""

EVERY_SOCKET = (MAG_SOCKET, LMA_SOCKET, RELAY_SOCKET)
TABLES = {
    "bindings": (LMA_SOCKET,),
    "leases": (LMA_SOCKET,),
    "keys": (LMA_SOCKET,),
    "visitors": (MAG_SOCKET,),
    "clients": (RELAY_SOCKET,),
    "tunnels": (MAG_SOCKET, LMA_SOCKET),
    "servers": (MAG_SOCKET, LMA_SOCKET),
    "access-points": (MAG_SOCKET,),
    "accounting": (MAG_SOCKET, LMA_SOCKET),
    "peers": (MAG_SOCKET, LMA_SOCKET),
    "counters": EVERY_SOCKET,
    "sources": EVERY_SOCKET,
}

LOOKS = {
    "show": "what a restart would bring, as a table",
    "check": "whether all of it can be read, and how much there is",
    "export": "every record, oldest first, one JSON object on each line",
}

Outcome = tuple[dict[str, Any], str]
"""What --json prints, and what a person reads."""


class Mistakes(Exception):
    """What ``check`` and ``store check`` were asked to find."""

    def __init__(self, file: str, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.file = file
        self.mistakes = mistakes


class _WrongUsage(Exception):
    """The arguments make no sense; ``usage`` says which would."""

    def __init__(self, message: str, usage: str) -> None:
        super().__init__(message)
        self.usage = usage


class _Parser(argparse.ArgumentParser):
    """Raises instead of leaving, so that wrong usage is JSON, too, where JSON is asked for."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        raise _WrongUsage(message, self.format_usage())


def _parser() -> argparse.ArgumentParser:
    common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--json", action="store_true", help="print one JSON object, errors included")
    common.add_argument(
        "--socket",
        metavar="PATH",
        help=f"the daemon's control socket (default: $PMIP_SOCKET, else {LMA_SOCKET}, {MAG_SOCKET} or "
        f"{RELAY_SOCKET} as the command needs, or those of the units for systemd)",
    )
    parser = _Parser(prog="pmipctl", description="Asks running MAGs, LMAs and DHCP relays.", parents=[common])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    show = commands.add_parser("show", parents=[common], help="what a daemon holds, as a table")
    show.add_argument(
        "what",
        choices=tuple(TABLES),
        help="bindings: at an LMA, who is where; visitors: at a MAG, who is here and in which state; "
        "keys: at an LMA, whose it has or asks for, never which they are; "
        "clients: at a DHCP relay, who has an address or waits for one; tunnels; "
        "servers: of RADIUS, and whether they are alive; "
        "access-points: at a MAG, those that ask AAA through it; "
        "accounting: what waits for AAA, since when and why; "
        "peers: of Diameter, and whether they are well; "
        "counters: what happened how often; sources: whose datagrams were discarded",
    )
    trace = commands.add_parser("trace", parents=[common], help="what happened to a mobile node")
    trace.add_argument("key", metavar="NAI", help="its NAI, MAC or home address")
    detach = commands.add_parser(
        "detach", parents=[common], help="end the service of a mobile node at its MAG"
    )
    detach.add_argument("nai", metavar="NAI", help="as in pmipctl show visitors")
    revoke = commands.add_parser(
        "revoke", parents=[common], help="end the binding of a mobile node at its LMA, which tells the MAG"
    )
    revoke.add_argument(
        "nai", metavar="NAI", help="its NAI, or its home address once a DHCP lease of it has ended"
    )
    check = commands.add_parser(
        "check", parents=[common], help="report every mistake of a configuration file"
    )
    check.add_argument(
        "file",
        metavar="FILE",
        help="lma.toml, mag.toml or dhcp-relay.toml; the user file is checked with its mag.toml",
    )
    store = commands.add_parser(
        "store", parents=[common], help="look at a journal, the file that 'store' names, and change nothing"
    )
    looks = store.add_subparsers(dest="look", required=True, metavar="LOOK")
    for name, text in LOOKS.items():
        look = looks.add_parser(name, parents=[common], help=text)
        look.add_argument("file", metavar="FILE", help="the journal; its daemon may be running")
    return parser


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a NAI may have letters that the terminal has not
    try:
        status = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough; what is still buffered must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Do what ``arguments`` say and give the exit status."""
    as_json = "--json" in arguments
    try:
        options = _parser().parse_args(arguments)
    except _WrongUsage as wrong:
        if as_json:
            print(json.dumps({"error": f"usage: {wrong}"}))
        else:
            print(f"{wrong.usage}pmipctl: {wrong}", file=sys.stderr)
        return 2
    try:
        data, text = _outcome(options, as_json=as_json)
    except Mistakes as found:
        report = {"error": str(found), "file": found.file, "mistakes": found.mistakes}
        print(json.dumps(report) if as_json else "\n".join(map(printable, found.mistakes)))
        return 1
    except BrokenOff:
        return 1
    except DaemonError as error:
        if as_json:
            print(json.dumps({"error": str(error)}))
        else:
            print(f"pmipctl: {printable(str(error))}", file=sys.stderr)
        return 1
    if data:
        print(json.dumps(data) if as_json else text)
    return 0


def _outcome(options: argparse.Namespace, *, as_json: bool) -> Outcome:
    path = getattr(options, "socket", None) or os.environ.get("PMIP_SOCKET")
    sockets = (path,) if path else None
    if options.command == "show":
        rows = _collect({"command": "show", "what": options.what}, sockets or TABLES[options.what])
        return {options.what: rows}, table(rows, options.what, _room())
    if options.command == "trace":
        rows = _collect({"command": "trace", "key": options.key}, sockets or EVERY_SOCKET)
        rows.sort(key=lambda row: row.get("time", 0))
        return {"trace": rows}, timeline(rows, _room())
    if options.command == "detach":
        answer = ask(path or _present(MAG_SOCKET), {"command": "detach", "nai": options.nai})
        result = answer.get("result") or {"nai": options.nai}
        return {"detached": result}, table([result], "mobile nodes detached")
    if options.command == "revoke":
        answer = ask(path or _present(LMA_SOCKET), {"command": "revoke", "nai": options.nai})
        result = answer.get("result") or {"nai": options.nai}
        return {"revoked": result}, table([result], "mobile nodes revoked")
    if options.command == "store":
        return _store(options.look, options.file, as_json=as_json)
    return _check(options.file)


def _room() -> int | None:
    """How many columns the terminal has; None if the output goes elsewhere, or the terminal does not know."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except (OSError, ValueError):
        return None


def _collect(request: dict[str, str], sockets: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of every daemon that runs; which one a row is from stands in "daemon" if several could be asked.

    DaemonError: none runs, or none had an answer, or one failed otherwise than by not knowing whom to trace.
    """
    rows: list[dict[str, Any]] = []
    failures: list[DaemonError] = []
    answered = False
    for path in sockets:
        try:
            answer = ask(_present(path), request)
        except DaemonError as error:
            failures.append(error)
            continue
        answered = True
        source = {"daemon": answer.get("role", path)} if len(sockets) > 1 else {}
        rows.extend({**source, **row} for row in answer.get("rows", ()))
    harmless = (NotRunning, Refused) if request["command"] == "trace" else NotRunning
    if answered and all(isinstance(error, harmless) for error in failures):
        return rows
    told = [error for error in failures if not isinstance(error, NotRunning)] or failures
    raise DaemonError("; ".join(dict.fromkeys(str(error) for error in told)))


def _present(path: str) -> str:
    """A default path, or its counterpart under systemd if only that is there."""
    other = UNIT_SOCKETS.get(path)
    return other if other and os.path.exists(other) and not os.path.exists(path) else path


def _check(file: str) -> Outcome:
    # Only this command needs the settings; the others start faster without.
    from pmip_tw.config.describe import description  # noqa: PLC0415
    from pmip_tw.config.load import load  # noqa: PLC0415
    from pmip_tw.errors import ConfigurationError  # noqa: PLC0415

    try:
        settings = load(file)
    except ConfigurationError as error:
        raise Mistakes(file, error.mistakes) from None
    role, summary = description(settings)
    return {"file": file, "ok": True, "role": role, "summary": summary}, printable(f"{file}: ok, {summary}")


def _store(look: str, file: str, *, as_json: bool) -> Outcome:
    """Nothing, if it was printed on the way: it may be long."""
    from pmip_tw.manage import store_command  # noqa: PLC0415

    if look == "show":
        store_command.show(file, _room(), as_json=as_json)
        return {}, ""
    if look == "export":
        store_command.export(file)
        return {}, ""
    try:
        return store_command.check(file)
    except store_command.Damaged as found:
        raise Mistakes(file, found.problems) from None


if __name__ == "__main__":
    main()
