"""``python -m bench signalling|scale|flood|aaa [--quick] [--json]``."""

import argparse
import sys
from collections.abc import Callable

from bench.aaa import aaa
from bench.effort import FULL, QUICK, SMOKE, Effort
from bench.flood import flood
from bench.report import Report
from bench.scale import scale
from bench.server import ServerError
from bench.signalling import signalling
from bench.world import Place, in_private_world
from pmip_tw.lab.isolation import NotIsolated

BENCHES: dict[str, Callable[[Place, Effort], Report]] = {
    "signalling": signalling,
    "scale": scale,
    "flood": flood,
    "aaa": aaa,
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "what",
        choices=tuple(BENCHES),
        help="signalling: what a registration costs; scale: a million bindings; flood: good requests among bad ones; "
        "aaa: what an authentication costs a MAG",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    efforts = parser.add_mutually_exclusive_group()
    efforts.add_argument("--quick", action="store_true", help="a minute or so; good for a first look")
    efforts.add_argument(
        "--smoke", action="store_true", help="only to see that it runs: no figure means anything"
    )
    options = parser.parse_args(arguments)
    effort = QUICK if options.quick else SMOKE if options.smoke else FULL

    def inside(place: Place) -> int:
        try:
            report = BENCHES[options.what](place, effort)
        except ServerError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1
        print(report.as_json() if options.json else report.as_text())
        return 0

    try:
        return in_private_world(inside)
    except NotIsolated as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
