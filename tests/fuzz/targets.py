"""All targets by name."""

from typing import Final

from tests.fuzz import (
    access_points,
    authorization,
    diameter,
    eapol,
    lma,
    lma_dhcp,
    mag,
    radius,
    relay,
    tunnels,
    wire,
)
from tests.fuzz.target import Target

TARGETS: Final[dict[str, Target]] = {
    target.name: target
    for target in (
        *wire.TARGETS,
        diameter.TARGET,
        radius.TARGET,
        access_points.TARGET,
        authorization.TARGET,
        tunnels.TARGET,
        lma.TARGET,
        lma_dhcp.TARGET,
        mag.DATAGRAMS,
        mag.FRAMES,
        eapol.TARGET,
        relay.TARGET,
    )
}
