"""The peers fail: a node gets no address, the trace says why, and it gets one as soon as the peer is back."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

import attrs

from pmip_tw.addresses import prefix
from pmip_tw.lab.programs import ProgramError, eventually
from pmip_tw.lab.report import Number
from pmip_tw.lab.scenarios import Say
from pmip_tw.lab.scenarios.adversity_stage import (
    MAG,
    NEIGHBOR,
    SUBSCRIBERS,
    Stage,
    Trouble,
    milliseconds_since,
)
from pmip_tw.lab.subscribers import SUBSCRIBER

RECOVERY: Final = 20.0
"""Seconds that a node may take to get its address when the trouble is over."""

ONE_ADDRESS: Final = prefix("10.1.0.0/30")
"""A pool whose other host is the gateway."""

Act = Callable[[], Awaitable[None]]


async def peers_fail(stage: Stage, say: Say) -> None:
    """All troubles in turn. It ends with everything well, and nobody served."""
    await _wrong_secret(stage, say)
    await _radius_down(stage, say)
    await _lma_down(stage, say)
    await _other_key(stage, say)
    await _pool_exhausted(stage, say)


async def _wrong_secret(stage: Stage, say: Say) -> None:
    await stage.start_mag(secret="not-what-the-server-has")

    async def correct() -> None:
        await stage.world.stop(MAG)
        await stage.start_mag()

    pattern = r"no answer in \d+ tries.*unknown client or with a wrong shared secret"
    await _trouble(stage, say, "wrong RADIUS secret", "wrong_secret", pattern, correct)


async def _radius_down(stage: Stage, say: Say) -> None:
    await stage.world.stop("freeradius")
    pattern = r"nothing listens on that port \(ICMP port unreachable\)"
    await _trouble(stage, say, "RADIUS down", "radius_down", pattern, stage.start_aaa)


async def _lma_down(stage: Stage, say: Say) -> None:
    await stage.world.stop("lma")
    pattern = r"LMA 198\.51\.100\.1 does not answer: nothing listens on UDP port 434"
    await _trouble(stage, say, "LMA down", "lma_down", pattern, stage.start_lma)


async def _other_key(stage: Stage, say: Say) -> None:
    others = tuple(attrs.evolve(subscriber, key_text="not-the-key-of-AAA") for subscriber in SUBSCRIBERS)
    await stage.restart_lma(subscribers=others)

    async def counted() -> bool:
        return (await stage.world.counts("lma"))["message-discarded", "bad-authenticator"] > 0

    async def correct() -> None:
        stage.result.check(
            "LMA with another key: it counts that",
            await eventually(counted, within=2),
            "bad-authenticator",
        )
        await stage.restart_lma()

    await _trouble(stage, say, "LMA with another key", "other_key", r"\b131\b|key", correct)


async def _pool_exhausted(stage: Stage, say: Say) -> None:
    await stage.restart_lma(pool=ONE_ADDRESS)
    await stage.neighbor.attach()

    async def make_room() -> None:
        await stage.neighbor.release()
        await stage.nobody_is_served(NEIGHBOR.nai)

    await _trouble(
        stage, say, "pool exhausted", "pool_exhausted", r"\b130\b|insufficient resources", make_room
    )
    await stage.restart_lma()


async def _trouble(stage: Stage, say: Say, what: str, figure: str, pattern: str, correct: Act) -> None:
    """The node asks in vain, the trace says why; ``correct`` ends it, and the same client gets its address."""
    say(f"{what}: the node asks for an address")
    result, node = stage.result, stage.node
    since = time.time()
    await node.ask()
    said = await stage.world.trace_says(MAG, SUBSCRIBER.mac, pattern, since, within=10)
    insisted = await node.asked(times=3)
    addresses = await node.addresses()
    detail = said or "the trace does not say it"
    if addresses:
        detail = f"it got {', '.join(addresses)}"
    refused = bool(said) and insisted and not addresses
    result.check(Trouble(what=what, said=said, recovered_ms=None).check, refused, detail)
    say(f"the trace says: {said or 'nothing'}; correcting it")
    await correct()
    took: Number = None
    began = time.monotonic()
    try:
        await node.bound(within=RECOVERY)
        took = milliseconds_since(began)
        await node.release()
    except ProgramError as error:
        result.check(f"{what}: it recovers", False, str(error))
    else:
        left = not await stage.nobody_is_served(SUBSCRIBER.nai)
        text = "released, but still known" if left else f"address {took:.0f} ms later"
        result.check(f"{what}: it recovers", not left, text)
    result.measurements[f"{figure}_recovery_ms"] = took
    stage.troubles.append(Trouble(what=what, said=said, recovered_ms=took))
