"""libFuzzer, in a process that it ends as it likes: ``python -m tests.fuzz.worker TARGET FLOORS [options]``."""

import sys
from pathlib import Path

import atheris

import pmip_tw

FLOORS = sys.argv[2].split(",")


def elsewhere() -> list[str]:
    """Every module of pmip_tw that is on none of the floors: atheris includes whole packages only."""
    root = Path(pmip_tw.__file__).parent
    parts = [path.relative_to(root.parent).with_suffix("").parts for path in root.rglob("*.py")]
    return [
        ".".join(part for part in module if part != "__init__") for module in parts if module[1] not in FLOORS
    ]


# Only what is imported here for the first time is instrumented, hence the imports at this place.
with atheris.instrument_imports(include=["pmip_tw"], exclude=elsewhere()):
    from tests.fuzz.datagrams import mutate
    from tests.fuzz.targets import TARGETS


def main() -> None:
    target = TARGETS[sys.argv[1]]
    # libFuzzer starts itself again for a merge, by the words that it finds here.
    arguments = [f"{sys.executable} -m tests.fuzz.worker {target.name} {sys.argv[2]}", *sys.argv[3:]]
    head = target.head
    if head is None:
        atheris.Setup(arguments, target.check)
    else:

        def mutator(octets: bytes, longest: int, seed: int) -> bytes:
            return mutate(octets, longest, head, seed, atheris.Mutate)

        atheris.Setup(arguments, target.check, custom_mutator=mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
