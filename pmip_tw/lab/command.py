"""``pmip-lab``: runs a scenario in a private world and shows, or prints as JSON, what came of it.

Exit status: 0 if every check held, 1 if not or if the laboratory itself failed, 2 for wrong usage, 130 after Ctrl-C.
"""

import argparse
import asyncio
import os
import shutil
import stat
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from pmip_tw.errors import PmipError
from pmip_tw.lab.isolation import INTERRUPTED, NotIsolated, ending_signals, run_isolated
from pmip_tw.lab.report import Result
from pmip_tw.lab.scenarios import Chosen, Outcome, Scenario, scenarios
from pmip_tw.lab.screen import progress, summary
from pmip_tw.lab.terminal import style_for

OUTPUT = Path("lab-output")
KEPT_RUNS = 5
TUN = "/dev/net/tun"
CHOICES = ("dhcp-client", "dhcp-server", "eap", "ap")
SYSTEM_PROGRAMS = "/usr/sbin:/sbin"
"""Where Debian keeps ip, nft, dhclient and freeradius; an ordinary user's PATH lacks it."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pmip-lab",
        description="Real programs in private network namespaces: drives them, measures, judges.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="the scenarios")
    run = commands.add_parser("run", help="run a scenario")
    run.add_argument("scenario", metavar="SCENARIO")
    run.add_argument(
        "--json", action="store_true", help="print one JSON object, and nothing else, on standard output"
    )
    run.add_argument(
        "--output", type=Path, metavar="DIR", help=f"where its files go (default: a new one under ./{OUTPUT})"
    )
    for choice in CHOICES:
        run.add_argument(
            f"--{choice}", metavar="NAME", help="which one is used, where the scenario has that choice"
        )
    run.add_argument("--keep", action="store_true", help=f"keep older runs (default: the last {KEPT_RUNS})")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script."""
    options = _parser().parse_args(arguments)
    known = scenarios()
    if options.command == "list":
        width = max(map(len, known))
        for scenario in known.values():
            print(f"{scenario.name:{width}}  {scenario.summary}")
        sys.exit(0)
    try:
        if options.scenario not in known:
            raise ValueError(f"unknown scenario {options.scenario!r}; there are: {', '.join(known)}")
        scenario = known[options.scenario]
        chosen = scenario.choose({name: getattr(options, name.replace("-", "_")) for name in CHOICES})
    except ValueError as error:
        if options.json:
            print(_failure(options.scenario, "the scenario is known", str(error)).as_json())
        print(f"pmip-lab: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(_run(scenario, chosen, options))


def _run(scenario: Scenario, chosen: Chosen, options: argparse.Namespace) -> int:
    try:
        _need_tun()
        os.environ["PATH"] = f"{os.environ.get('PATH', '/usr/bin:/bin')}:{SYSTEM_PROGRAMS}"
        scenario.need_programs(chosen)
        directory = _directory(scenario.name, options.output)
        try:
            status = run_isolated(lambda: _inside(scenario, chosen, directory, as_json=options.json))
        except NotIsolated:
            if options.output is None:  # it did not begin, and has no files
                directory.rmdir()
            raise
        if options.output is None and not options.keep:
            _remove_older(scenario.name)
        return status
    except (PmipError, OSError) as error:
        if options.json:
            print(_failure(scenario.name, "the laboratory can be set up", str(error)).as_json())
        print(f"pmip-lab: {error}", file=sys.stderr)
        return 1


def _need_tun() -> None:
    """The LMA has a TUN device: tried before anything is made. Raises NotIsolated, which says what to do."""
    try:
        os.close(os.open(TUN, os.O_RDWR | os.O_CLOEXEC))
    except PermissionError:
        mode = stat.S_IMODE(os.stat(TUN).st_mode)
        raise NotIsolated(
            f"{TUN}: permission denied, its mode is {mode:04o}; as root: chmod 666 {TUN}, or run as root"
        ) from None
    except FileNotFoundError:
        raise NotIsolated(
            f"{TUN} is missing; as root: modprobe tun (a container needs --device {TUN})"
        ) from None
    except OSError as error:
        raise NotIsolated(f"{TUN} cannot be opened: {error.strerror}; as root: modprobe tun") from None


def _directory(name: str, wanted: Path | None) -> Path:
    """A directory for the files of this run, by default a new one."""
    made = wanted or OUTPUT / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    made.mkdir(parents=True, exist_ok=True)
    return made.resolve()


def _remove_older(name: str) -> None:
    """All but the last runs of a scenario."""
    runs = sorted(
        (path for path in OUTPUT.glob(f"{name}-*") if path.is_dir()), key=lambda path: path.stat().st_mtime
    )
    for path in runs[:-KEPT_RUNS]:
        shutil.rmtree(path, ignore_errors=True)


def _inside(scenario: Scenario, chosen: Chosen, directory: Path, *, as_json: bool) -> int:
    """In the private world: run, judge, show."""
    outcome = asyncio.run(_watched(scenario, chosen, directory))
    if outcome is None:
        print("pmip-lab: interrupted; everything was taken down", file=sys.stderr)
        if as_json:
            print(_failure(scenario.name, "the scenario ran to its end", "interrupted").as_json(), flush=True)
        return INTERRUPTED
    (directory / "result.json").write_text(outcome.result.as_json() + "\n")
    if as_json:
        print(outcome.result.as_json(), flush=True)
    else:
        style = style_for(sys.stdout.isatty(), sys.stdout.encoding, os.environ.get("TERM", ""))
        print(summary(scenario, outcome, directory, style), flush=True)
    return 0 if outcome.result.passed else 1


async def _watched(scenario: Scenario, chosen: Chosen, directory: Path) -> Outcome | None:
    """The outcome, also if the laboratory fails; None if somebody interrupted it."""
    task = asyncio.current_task()
    assert task is not None
    cancelling = False

    def interrupt() -> None:
        nonlocal cancelling
        if not cancelling:  # Ctrl-C reaches us twice; the second must not disturb the taking down
            cancelling = True
            task.cancel()

    for number in ending_signals():
        asyncio.get_running_loop().add_signal_handler(number, interrupt)
    began = time.monotonic()

    style = style_for(sys.stderr.isatty(), sys.stderr.encoding, os.environ.get("TERM", ""))

    def say(text: str) -> None:
        print(progress(time.monotonic() - began, text, style), file=sys.stderr, flush=True)

    try:
        return await scenario.run(directory, say, chosen)
    except asyncio.CancelledError:
        return None
    except PmipError as error:
        say(f"failed: {error}")
        return Outcome(_failure(scenario.name, "the scenario ran to its end", str(error)))
    except Exception as error:
        traceback.print_exc()
        return Outcome(
            _failure(scenario.name, "the scenario ran to its end", f"{type(error).__name__}: {error}")
        )


def _failure(scenario: str, check: str, detail: str) -> Result:
    result = Result(scenario=scenario)
    result.check(check, False, detail)
    return result


if __name__ == "__main__":
    main()
