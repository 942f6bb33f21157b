"""Which RADIUS servers a world has, and how its MAGs ask them."""

import attrs

from pmip_tw.aaa.radius.configuration import RadiusSettings, RequireSignature, StatusServer, Strategy

JITTERED = 1.1
"""How much longer a time may be than its setting (RFC 5080 2.2.1)."""


@attrs.frozen(slots=True, kw_only=True)
class Servers:
    """``count`` servers of the same accounts; the other fields are those of RadiusSettings and RadiusServer.

    ``knows_status``: whether they answer Status-Server; ``signs``: whether all that they say is signed. ``delay``:
    shortest and longest seconds until an answer leaves. ``rounds``: of the EAP method by which nodes are examined; 0:
    by their MAC. ``accounting``: whether they are told what nodes use. ``points``: how many access points each
    MAG has, which need ``notices`` seconds to see that a station has left; 0: none.
    """

    count: int = 2
    strategy: Strategy = Strategy.ORDERED
    status_server: StatusServer = StatusServer.AUTO
    require: RequireSignature = RequireSignature.AUTO
    knows_status: bool = True
    signs: bool = True
    timeout: float = 1.0
    tries: int = 3
    dead_time: float = 10.0
    probe_interval: float = 5.0
    room: int = 255
    max_outstanding: int = 1024
    max_waiting: int = 1024
    delay: tuple[float, float] = (0.005, 0.05)
    rounds: int = 0
    accounting: bool = False
    points: int = 0
    notices: float = 1.0


def longest_question(settings: RadiusSettings, servers: int, longest_wait: float) -> float:
    """Seconds after which any question has ended: each server is waited for, then asked as often as it may be."""
    wait, total = settings.timeout * JITTERED, 0.0
    for _ in range(settings.tries):
        total += wait
        wait *= 1 + JITTERED
    return servers * (longest_wait + total)


def found_again(settings: RadiusSettings) -> float:
    """Seconds after which a server is known to be back, if Status-Server tells (RFC 5997), or may be asked again."""
    asked = max(settings.probe_interval, settings.dead_time) * JITTERED
    return asked + settings.timeout * JITTERED
