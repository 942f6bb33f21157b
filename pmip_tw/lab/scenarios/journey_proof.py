"""What a journey has shown: the checks of everybody who moves with sessions running."""

from typing import Final

from pmip_tw.lab.freeradius import authentications
from pmip_tw.lab.heard import Heard
from pmip_tw.lab.measure import delivery, octets_seen
from pmip_tw.lab.report import Result
from pmip_tw.lab.scenarios.journey import Journey
from pmip_tw.lab.sites import HOME
from pmip_tw.lab.world import World

WINDOW_NS: Final = 1_000_000_000
"""How long after a move its gap is looked for."""

LOSSES: Final = ("pings_lost", "pings_lost_requests", "pings_lost_replies", "pings_sent")


def judge_node(seen: Journey, result: Result) -> None:
    """It keeps its address, is where it is, and its card notices nothing."""
    others = [found for found in seen.addresses if found != [seen.address]]
    result.check(
        "same address throughout",
        not others,
        f"{seen.address}, {len(seen.moves)} moves" if not others else f"{seen.address}, then {others}",
    )
    wrong = [
        f"after move {number}: {', '.join(holders) or 'none'}"
        for number, (holders, target) in enumerate(zip(seen.holders, seen.route, strict=True), 1)
        if holders != (target,)
    ]
    result.check(
        "exactly one MAG has the visitor",
        not wrong,
        "; ".join(wrong) or f"the new one, {len(seen.moves)} times",
    )
    result.check(
        "no link event at the MN",
        not seen.link_events,
        seen.link_events.splitlines()[0][:80] if seen.link_events else "its card never noticed",
    )


def judge_tcp(seen: Journey, heard: Heard, result: Result) -> None:
    """The transfer goes on after every move."""
    ends = [*(move.began_ns for move in seen.moves[1:]), seen.moves[-1].ended_ns + WINDOW_NS]
    carried = [
        octets_seen(heard, "correspondent", HOME, move.ended_ns, ended)
        for move, ended in zip(seen.moves, ends, strict=True)
    ]
    error = seen.tcp.get("error", "")
    idle = [str(number) for number, octets in enumerate(carried, 1) if not octets]
    if error:
        detail = f"iperf3: {error}"
    elif idle:
        detail = f"no data after move {', '.join(idle)}"
    else:
        detail = "data after every move"
    result.check("TCP session survives", not error and not idle, detail)


def judge_paths(heard: Heard, result: Result) -> None:
    """Everything of the node goes through the tunnel."""
    tunnelled = sum(
        1 for echo in heard.echoes if echo.tap.endswith("-core") and echo.tunnelled and echo.request
    )
    if heard.strays:
        stray = heard.strays[0]
        detail = f"{len(heard.strays)} outside the tunnel, the first at {stray.tap}: {stray.text}"
    else:
        detail = f"{tunnelled} pings, all tunnelled"
    result.check("no packet outside the tunnel", not heard.strays and tunnelled > 0, detail)


def judge_echoes(heard: Heard, capture_lost: int, result: Result) -> None:
    """Each echo request arrives once; how many were lost, and where."""
    found = delivery(heard, node="mn", access=("mag1-access", "mag2-access"), correspondent="correspondent")
    if capture_lost:
        detail = f"unknown: the capture lost {capture_lost} packets"
    elif found.exactly_once:
        detail = f"{found.sent - found.lost_on_air} of {found.sent}"
        if found.lost_on_air:
            detail += f", {found.lost_on_air} lost on the air in the instant of a move"
    else:
        detail = f"{len(found.duplicated)} arrived twice, {len(found.lost_behind_mag)} got lost behind a MAG"
    result.check("echo requests arrive exactly once", found.exactly_once and not capture_lost, detail)
    figures = (found.unanswered, found.lost_requests, found.unanswered - found.lost_requests, found.sent)
    result.measurements.update(zip(LOSSES, figures, strict=True))
    result.parts["pings_lost"] = {"requests": "pings_lost_requests", "replies": "pings_lost_replies"}


def judge_authentication(made: World, heard: Heard, needed: int, result: Result) -> None:
    """``needed``: how often the node came."""
    if not made.by_radius:
        accepted = sum(
            1 for message in heard.named("reply") if message.code in (0, 1) and message.lifetime > 0
        )
        result.check(
            "every attachment was authenticated",
            accepted >= needed,
            f"{accepted} registrations after a look into the user file (no FreeRADIUS)",
        )
        return
    mine = [
        accepted for mac, accepted in authentications(made.radius_log()) if mac == made.subscribers[0].mac
    ]
    result.check(
        "FreeRADIUS saw every authentication",
        mine.count(True) >= needed and False not in mine,
        f"{mine.count(True)} accepted" + (f", {mine.count(False)} refused" if False in mine else ""),
    )
