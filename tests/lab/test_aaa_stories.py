"""The screens of the scenarios of AAA fit every terminal, whatever was heard."""

import pytest

from pmip_tw.lab.heard import Heard
from pmip_tw.lab.measure import Move
from pmip_tw.lab.scenarios.aaa_failover_seen import Seen as FailoverSeen
from pmip_tw.lab.scenarios.aaa_failover_stage import SUBSCRIBERS
from pmip_tw.lab.scenarios.aaa_failover_story import lines
from pmip_tw.lab.scenarios.dot1x_seen import Seen
from pmip_tw.lab.scenarios.dot1x_story import Story
from pmip_tw.lab.scenarios.journey import Journey
from pmip_tw.lab.terminal import Style
from tests.lab.frames import MS

MOVES = [Move(began_ns=at * MS, ended_ns=at * MS + 1, to="mag2") for at in (10, 20, 30, 40)]


@pytest.mark.parametrize("width", [60, 79, 80, 100, 118])
@pytest.mark.parametrize("by_access_points", [False, True])
def test_the_story_of_802_1x(width: int, by_access_points: bool) -> None:
    seen = Seen(forgotten=(1, 3), journey=Journey(moves=MOVES), travelled_ns=50 * MS, change_ns=60 * MS)
    story = Story(heard=Heard(), seen=seen, gaps=[5.0, None, 1234.5, 6.0], by_access_points=by_access_points)
    drawn = story.lines(Style(width=width), "ttls", "lab-output/dot1x-20261122-082222/ladder.txt")
    assert max(map(len, drawn)) <= width
    assert any("hostapd" in line for line in drawn) is by_access_points


@pytest.mark.parametrize("width", [60, 80, 118])
def test_the_story_of_servers_that_die(width: int) -> None:
    stop = {
        "User-Name": (SUBSCRIBERS[0].nai,),
        "Acct-Status-Type": ("Stop",),
        "Acct-Delay-Time": ("7",),
    }
    seen = FailoverSeen(said="no answer: the server is down " * 4, waiting=3, records=[(2, stop)])
    drawn = lines(Heard(), seen, Style(width=width))
    assert max(map(len, drawn)) <= width
    assert any(line.startswith(SUBSCRIBERS[0].nai) and "2, 7 s" in line for line in drawn)
