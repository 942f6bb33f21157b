"""All targets by name."""

from typing import Final

from tests.fuzz import lma, mag, radius, relay, tunnels, wire
from tests.fuzz.target import Target

TARGETS: Final[dict[str, Target]] = {
    target.name: target
    for target in (
        *wire.TARGETS,
        radius.TARGET,
        tunnels.TARGET,
        lma.TARGET,
        mag.DATAGRAMS,
        mag.FRAMES,
        relay.TARGET,
    )
}
