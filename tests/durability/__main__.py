"""``python -m tests.durability --kills 200``: kill an LMA under load again and again, and look for what it has lost.

``--power-loss 20`` kills its whole machine. Afterwards careless LMAs go through the same, and must lose something.
"""

import argparse
import json
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

import attrs

from bench.report import commit
from bench.server import ServerError
from bench.world import Place, in_private_world
from pmip_tw.lab.isolation import NotIsolated
from tests.durability.campaign import CONTROL, Result, campaign
from tests.durability.careless import program
from tests.durability.crew import LmaCrew
from tests.durability.guest import LmaGuest
from tests.durability.process import TWISTD, LmaProcess
from tests.durability.subject import Subject
from tests.durability.trial import Load

_KILLS = 200


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.durability", description=__doc__, allow_abbrev=False
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--kills", type=int, default=_KILLS, metavar="N", help=f"kill the LMA's process so often ({_KILLS})"
    )
    what.add_argument("--power-loss", type=int, metavar="N", help="cut its machine's power so often instead")
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="of N processes kill any, or all (1)"
    )
    parser.add_argument("--rate", type=float, default=5000, help="registrations a second, at most (5000)")
    parser.add_argument(
        "--nodes", type=int, help="mobile nodes (5000; 500 on a machine that loses its power)"
    )
    parser.add_argument("--seed", type=int, default=0, help="what nodes do and when the LMA dies (0)")
    parser.add_argument("--json", action="store_true", help="the result as one JSON object")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Exit code 1 if something was lost, or if a careless LMA lost nothing."""
    asked = arguments().parse_args(argv)
    try:
        return in_private_world(partial(_inside, asked))
    except NotIsolated as error:
        print(f"durability: {error}", file=sys.stderr)
        return 1


def _inside(asked: argparse.Namespace, place: Place) -> int:
    try:
        careful, controls = _all(asked, place)
    except ServerError as error:
        print(f"durability: {error}", file=sys.stderr)
        return 1
    if asked.json:
        told = {way: control.as_json() for way, control in controls.items()}
        print(json.dumps({**careful.as_json(), "controls": told, "commit": commit()}, indent=2))
    else:
        print(careful.as_text())
        for way, control in controls.items():
            proof = (
                f"broke {control.lost} promises in {control.kills} kills"
                if control.lost
                else "broke none: no proof"
            )
            print(f"a careless LMA ({way}) {proof}")
    return 0 if not careful.lost and all(control.lost for control in controls.values()) else 1


def _all(asked: argparse.Namespace, place: Place) -> tuple[Result, dict[str, Result]]:
    """What became of the LMA as it is, and of careless ones, by their ways."""
    if asked.power_loss is None:
        # Of several workers most go on when one is killed, and have nothing to recall.
        kills, ways = asked.kills, ("hasty", "forgetful") if asked.workers == 1 else ("hasty",)
        load = Load(nodes=asked.nodes or 5000, rate=asked.rate, seconds=(0.2, 1.0), restart=1.0)
    else:
        kills, ways = asked.power_loss, ("unsynchronized",)
        load = Load(nodes=asked.nodes or 500, rate=asked.rate, seconds=(1.0, 5.0), restart=5.0)

    def made(number: int, taking: tuple[str, ...]) -> Subject:
        if asked.power_loss is None and asked.workers > 1:
            return LmaCrew(place, number, load.nodes, workers=asked.workers, program=taking)
        if asked.power_loss is None:
            return LmaProcess(place, number, load.nodes, program=taking)
        return LmaGuest(place, number, load.nodes, program=taking)

    found = place.directory / "found"
    careful = campaign(made(0, TWISTD), load, kills=kills, seed=asked.seed, found=found, name="as it is")
    if careful.lost:
        # The private world ends with this run.
        kept = Path(tempfile.mkdtemp(prefix="pmip-durability-", dir="/var/tmp"))
        careful = attrs.evolve(careful, evidence=Path(shutil.copytree(found, kept, dirs_exist_ok=True)))
    controls = {
        way: campaign(made(number, program(way)), load, kills=CONTROL, seed=asked.seed, found=found, name=way)
        for number, way in enumerate(ways, 1)
    }
    return careful, controls


if __name__ == "__main__":
    sys.exit(main())
