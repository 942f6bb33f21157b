"""The ladder: each message on its lanes, no line wider than the screen."""

import attrs
import pytest

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.lab.ladder import NARROWEST, Step, draw, header, steps
from pmip_tw.lab.measure import Move
from pmip_tw.lab.pcapng import Packet
from pmip_tw.lab.scenarios.adversity_stage import Trouble
from pmip_tw.lab.scenarios.adversity_story import lines
from pmip_tw.lab.scenarios.journey import Journey
from pmip_tw.lab.scenarios.nat_seen import Seen
from pmip_tw.lab.scenarios.nat_story import Story as NatStory
from pmip_tw.lab.scenarios.roam_story import LANES, Story, phases
from pmip_tw.lab.terminal import Style
from pmip_tw.wire.revocation import Revocation
from pmip_tw.wire.udp import udp_packet
from tests.lab.frames import HOME, LMA, MAG2, MS, NODE, echo, heard, signalling, tunnelled
from tests.lab.test_heard import LISTENER, REQUEST

PLAIN = Style()


def _place(name: str) -> int:
    """The column of a lane: the middle of its name."""
    return header(LANES, PLAIN).index(name) + len(name) // 2


def _step(source: int, destination: int, label: str = "PRRQ 1800 s", **more: object) -> Step:
    return Step(time_ns=5 * MS, source=source, destination=destination, label=label, **more)  # type: ignore[arg-type]


def test_an_arrow_goes_from_lane_to_lane() -> None:
    line = draw(_step(1, 3), 2 * MS, PLAIN)
    assert line.strip().startswith("3.0")
    start, end = _place("MAG 1"), _place("LMA")
    assert (line[start], line[end - 1], line[end]) == ("│", "►", "│")
    assert "PRRQ 1800 s" in line[start : start + 19]


def test_an_arrow_back_has_its_head_at_the_receiver() -> None:
    line = draw(_step(4, 1, "Access-Accept"), 0, PLAIN)
    assert line[_place("MAG 1") + 1] == "◄"
    assert "Access-Accept" in line[_place("LMA") :]


def test_every_arrow_fits_the_screen_with_its_note() -> None:
    lanes = range(len(LANES.names))
    for source in lanes:
        for destination in lanes:
            if source != destination:
                line = draw(_step(source, destination, "x" * 40, note="y" * 80), 0, PLAIN)
                assert len(line) <= 120
                assert all(line[_place(name)] in "│─" for name in LANES.names)


def test_plain_has_no_escapes_and_ascii_no_other_characters() -> None:
    step = _step(0, 2, "first packet", data=True, note="ping 1 → x")
    assert "\x1b" not in draw(step, 0, PLAIN)
    assert draw(step, 0, Style(ascii=True)).isascii()
    assert "\x1b[36m" in draw(step, 0, Style(colour=True))


def _handover() -> tuple[list[Packet], list[Move]]:
    packets = [
        heard("mag2-access", 12, echo(9), source=NODE),
        heard("mag2-core", 13, signalling(REQUEST, MAG2, LMA), inbound=False),
        heard("mag2-core", 15, tunnelled(echo(9), MAG2), inbound=False),
        heard("mn", 11, echo(8, reply=True)),
        heard("mn", 17, echo(9, reply=True)),
    ]
    return packets, [Move(began_ns=10 * MS, ended_ns=11 * MS, to="mag2")]


def test_the_first_answer_is_one_that_came_through_the_new_mag() -> None:
    """An answer still under way when the node moved proves nothing."""
    packets, moves = _handover()
    told = steps(LISTENER.hear(packets), phases(moves, released_ns=100 * MS), LANES)
    assert [(step.label, step.time_ns // MS, step.source, step.destination) for step in told] == [
        ("first packet", 12, 0, 2),
        ("PRRQ 1800 s", 13, 2, 3),
        ("first in tunnel", 15, 2, 3),
        ("first answer", 17, 2, 0),
    ]


@pytest.mark.parametrize("width", [60, 79, 80, 81, 100, 114, 118])
def test_everything_fits_a_terminal_of_that_width(width: int) -> None:
    """Lanes closer together, then no notes, and where not even that fits a line that says where the ladder is."""
    packets, moves = _handover()
    style = Style(width=width)
    twice = [*moves, Move(began_ns=50 * MS, ended_ns=51 * MS, to="mag1")]
    story = Story(heard=LISTENER.hear(packets), moves=twice, released_ns=100 * MS, gaps=[5.0, 7.0])
    lines = story.lines(style, "dhclient", "FreeRADIUS", "ladder.txt")
    assert max(map(len, lines)) <= width
    drawn = [line for line in lines if "first in tunnel" in line or "less -S ladder.txt" in line]
    assert len(drawn) == 1
    assert ("►" in drawn[0]) is (width >= NARROWEST)


def test_a_narrow_ladder_keeps_every_label_whole() -> None:
    style = Style(width=NARROWEST)
    for label in ("Access-Request", "first in tunnel", "Revocation Ack", "PRRQ 65534 s", "DHCP Discover"):
        for source, destination in ((1, 2), (2, 1), (1, 4), (4, 1)):
            assert label in draw(_step(source, destination, label, note="n"), 0, style)


def test_the_table_of_troubles_fits_too() -> None:
    trouble = Trouble(what="wrong RADIUS secret", said="no answer: the server is down " * 4, recovered_ms=250)
    for width in (80, 100, 118):
        drawn = lines([trouble], {"MAG": {"bad-authenticator": 300, "malformed": 500}}, Style(width=width))
        assert max(map(len, drawn)) <= width


def test_a_story_without_answers_says_so_and_fits() -> None:
    packets, moves = _handover()
    twice = [*moves, Move(began_ns=50 * MS, ended_ns=51 * MS, to="mag1")]
    story = Story(heard=LISTENER.hear(packets), moves=twice, released_ns=100 * MS, gaps=[5.0, None])
    lines = story.lines(PLAIN, "dhclient", "FreeRADIUS", "ladder.txt")
    assert all(len(line) <= 120 for line in lines)
    assert any("move 1 to MAG 2, gap 5.0 ms" in line for line in lines)
    assert any(line.startswith("  2 → MAG 1") and "no answer any more" in line for line in lines)


@pytest.mark.parametrize("width", [60, 80, 100, 118])
def test_the_story_behind_nats_fits_and_names_the_port_that_the_nat_has_made(width: int) -> None:
    outside, inside = Endpoint(ipv4("198.51.100.21"), 40123), Endpoint(LMA, 434)
    other = Endpoint(ipv4("198.51.100.22"), 50123)
    revocation = Revocation(
        home_address=HOME, home_domain=LMA, foreign_domain=MAG2, identifier=7, from_home_agent=True
    ).encode()
    listener = attrs.evolve(
        LISTENER, signalling_taps=frozenset({"mag1-nat", "mag2-nat"}), core_taps=frozenset({"mag1-nat"})
    )
    packets = [
        heard("mag1-nat", 11, udp_packet(outside, inside, REQUEST), inbound=False),
        heard("mag2-nat", 62, udp_packet(other, inside, REQUEST), inbound=False),
        heard("mag1-nat", 63, udp_packet(inside, outside, revocation)),
        heard("mag1-nat", 21_000, udp_packet(outside, inside, REQUEST), inbound=False),
    ]
    seen = Seen(
        attach_ns=10 * MS,
        neighbor_ns=20 * MS,
        silent_ns=21 * MS,
        spoken_ns=40 * MS,
        reboot_ns=41 * MS,
        rebooted_ns=50 * MS,
        journey=Journey(moves=[Move(began_ns=60 * MS, ended_ns=61 * MS, to="mag2")]),
        renew_ns=70 * MS,
        released_ns=80 * MS,
        gone_ns=90 * MS,
    )
    story = NatStory(heard=listener.hear(packets), seen=seen, gaps=[5.0], outage=(42 * MS, 49 * MS))
    drawn = story.lines(Style(width=width), "dhclient", "kea-dhcp4", "ladder.txt")
    assert max(map(len, drawn)) <= width
    assert any("198.51.100.21:40123" in line for line in drawn)
    whole = "\n".join(story.full(PLAIN))
    assert whole.count("PRRQ 1800 s") == 2  # what comes after the end belongs to nothing
    assert "MAG 1" in next(line for line in whole.splitlines() if "Revocation" in line)
    assert "0.0 s without an answer" in whole
