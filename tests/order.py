"""In which order files of tests are begun: what takes long first, so that nobody has it left when others are done."""

from typing import Final

LONGEST: Final = (
    "tests/interop/test_dot1x_scenario.py",
    "tests/interop/test_nat.py",
    "tests/fuzz/test_fuzzing.py",
    "tests/simulation/test_simulation.py",
    "tests/services/test_workers.py",
    "tests/simulation/test_seeds.py",
    "tests/durability/test_durability.py",
    "tests/services/test_daemons.py",
    "tests/interop/test_dot1x.py",
    "tests/interop/",
    "tests/simulation/",
    "tests/durability/",
    "tests/services/",
    "tests/packaging/",
    "tests/store/",
)
"""A folder is all in it that is not named elsewhere."""

ALONE: Final = ("tests/bench/test_runs.py", "tests/interop/test_adversity.py")
"""Who wants to be alone waits for all others, and they for it: at the end, when nobody else has anything to do."""


def place(file: str) -> int:
    """Where ``file`` stands in the order."""
    if file in ALONE:
        return len(LONGEST) + 1
    return next((at for at, name in enumerate(LONGEST) if file.startswith(name)), len(LONGEST))
