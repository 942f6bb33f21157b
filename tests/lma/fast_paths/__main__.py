"""See the package."""

import sys

from tests.lma.fast_paths.comparing import difference, drawn, smallest


def main(first: int, last: int) -> None:
    for seed in range(first, last):
        config, course = drawn(seed)
        found = difference(config, course)
        if found is not None:
            course = smallest(config, course[: found[0] + 1])
            print(f"seed {seed}: {config}")
            for step in course:
                print("   ", step)
            print("  ", difference(config, course))
            sys.exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
