"""RADIUS over TLS as the machine sees it: connections that come, break and hang, and what was asked on them."""

from pmip_tw.aaa.radius.configuration import StatusServer
from pmip_tw.aaa.radius.effects import Connect, Disconnect, Transmit
from pmip_tw.wire.radius import Code
from tests.aaa.radius_world import FIRST, SECOND, World, cause, code, requests, server

NO = StatusServer.NO
REFUSED = "nothing listens on that port (connection refused)"


def over_tls(*more: object, status: StatusServer = StatusServer.AUTO, window: int = 200) -> World:
    return World(server(FIRST, tls=True, status_server=status, max_outstanding=window), *more)  # type: ignore[arg-type]


def up(world: World) -> list[Transmit]:
    sent = world.take(world.machine.connected(FIRST, world.now()))
    world.time += 0.001
    return sent


def down(world: World, cause: str = REFUSED) -> list[Transmit]:
    return world.take(world.machine.disconnected(FIRST, cause, world.now()))


def connections(world: World) -> int:
    return sum(isinstance(one, Connect) for one in world.links)


def test_what_is_asked_before_there_is_a_connection_goes_out_when_there_is() -> None:
    world = over_tls()
    asked = [world.ask() for _ in range(3)]
    assert all(sent == [] for _, sent in asked) and connections(world) == 1
    sent = up(world)
    assert len(requests(sent)) == 3 and [one.datagram[0] for one in sent].count(Code.STATUS_SERVER) == 1
    world.deliver(*sent)
    assert {code(world.outcomes[number]) for number, _ in asked} == {Code.ACCESS_ACCEPT}
    assert world.observations[0].name == "radius-connected"


def test_nothing_is_repeated_on_a_connection() -> None:
    """RFC 6614 2.6: TCP does that; who gets no answer is told all the same."""
    world = over_tls(status=NO)
    world.twins[FIRST].silent = True
    number, _ = world.ask()
    up(world)
    began = world.time
    assert "no answer" in cause(world.asked(number))
    assert len(world.sent) == 1 and 12 < world.time - began < 17


def test_a_connection_that_cannot_be_made_sends_everybody_elsewhere_and_says_why() -> None:
    world = over_tls(server(SECOND, status_server=NO))
    number, _ = world.ask()
    world.deliver(*requests(down(world)))
    assert code(world.outcomes[number]) is Code.ACCESS_ACCEPT
    assert world.state(FIRST) == "dead"
    assert world.named("radius-server-dead")[0].cause == f"198.51.100.53:1812: {REFUSED}"


def test_if_there_is_nobody_else_they_are_told_at_once() -> None:
    world = over_tls()
    number, _ = world.ask()
    down(world, "TLS: its certificate is another's")
    assert "its certificate is another's" in cause(world.outcomes[number])
    number, _ = world.ask()
    assert "its certificate is another's" in cause(world.outcomes[number]), "nor does the next one wait"


def test_it_is_tried_again_ever_more_rarely_until_it_answers() -> None:
    world = over_tls(status=NO)
    world.ask()
    waits = []
    for _ in range(9):
        down(world)
        began, before = world.time, connections(world)
        while connections(world) == before:
            world.wake()
        waits.append(world.time - began)
    assert [round(wait) for wait in waits[:3]] == [1, 2, 4]
    assert all(54 <= wait <= 67 for wait in waits[7:])
    up(world)
    number, sent = world.ask()
    world.deliver(*sent)
    assert code(world.outcomes[number]) is Code.ACCESS_ACCEPT and world.state(FIRST) == "alive"
    down(world, "it closed the connection")
    assert connections(world) == 11, "at once, for it was good"


def test_what_was_outstanding_is_asked_again_on_the_next_connection_with_the_same_octets() -> None:
    world = over_tls(status=NO)
    first, _ = world.ask()
    world.deliver(*up(world))
    number, [sent] = world.ask()
    down(world, "it closed the connection")
    assert world.state(FIRST) == "suspect" and number not in world.outcomes
    assert up(world) == [sent]
    world.deliver(sent)
    assert code(world.outcomes[number]) is code(world.outcomes[first]) is Code.ACCESS_ACCEPT


def test_a_connection_on_which_nothing_was_ever_heard_is_not_made_again_at_once() -> None:
    """That is how a server refuses our certificate in TLS 1.3: after the handshake. No tight circle."""
    world = over_tls()
    world.ask()
    world.twins[FIRST].silent = True
    up(world)
    down(world, "TLS: alert certificate required")
    assert connections(world) == 1 and world.state(FIRST) == "dead"
    world.wake()
    assert connections(world) <= 2


def test_the_window_is_kept() -> None:
    world = over_tls(window=1)
    asked = [world.ask() for _ in range(5)]
    sent = up(world)
    assert len(sent) == 1
    sizes = []
    while sent:
        sizes.append(len(sent))
        sent = world.deliver(*sent)
    assert set(sizes) == {1} and len(world.outcomes) == len(asked)


def test_who_waits_for_room_hears_at_once_that_there_will_be_none() -> None:
    """And why: not that servers are busy."""
    world = over_tls(window=1)
    world.ask()
    up(world)
    waiting = [world.ask()[0], world.ask(pinned=FIRST)[0]]
    down(world)
    assert connections(world) == 1 and world.state(FIRST) == "dead"
    for number in waiting:
        assert REFUSED in cause(world.outcomes[number]) and "somebody else" not in cause(
            world.outcomes[number]
        )
    assert world.named("radius-overload") == []


def test_a_server_that_hangs_is_not_alive_for_taking_connections() -> None:
    """Else every new connection would cost whoever asks then some seconds."""
    world = over_tls(server(SECOND, status_server=NO))
    number, _ = world.ask()
    world.deliver(*up(world))
    assert code(world.outcomes[number]) is Code.ACCESS_ACCEPT
    world.twins[FIRST].silent = True
    world.asked(world.ask()[0])
    world.run(60)
    down(world)
    assert world.state(FIRST) == "dead"
    for _ in range(3):
        before = connections(world)
        while connections(world) == before:
            world.wake()
        up(world)
        assert world.state(FIRST) == "probing"
        number, sent = world.ask()
        assert [one.destination for one in requests(sent)] == [SECOND]
        world.deliver(*sent)
        before = len(world.links)
        while len(world.links) == before:
            world.wake()
        assert isinstance(world.links[-1], Disconnect) and world.state(FIRST) == "dead"
    while not isinstance(world.links[-1], Connect):
        world.wake()
    world.twins[FIRST].silent = False
    world.deliver(*up(world))
    assert world.state(FIRST) == "alive"


def test_a_silent_connection_is_asked_by_status_server_and_dropped_if_it_hangs() -> None:
    world = over_tls()
    world.ask()
    world.deliver(*up(world))
    before = world.twins[FIRST].probes
    world.run(100)
    assert 2 <= world.twins[FIRST].probes - before <= 4, "every 30 s"
    assert world.state(FIRST) == "alive" and not any(isinstance(one, Disconnect) for one in world.links)
    world.twins[FIRST].silent = True
    world.run(45)
    assert [type(one) for one in world.links] == [Connect, Disconnect, Connect]
    assert world.state(FIRST) == "suspect"
    down(world)
    assert world.state(FIRST) == "dead"


def test_a_connection_that_is_used_is_not_asked() -> None:
    world = over_tls()
    world.ask()
    world.deliver(*up(world))
    before = world.twins[FIRST].probes
    for _ in range(30):
        world.deliver(*world.ask()[1])
        world.run(5)
    assert world.twins[FIRST].probes == before


def test_a_server_that_takes_connections_and_says_nothing_is_dead_in_the_end() -> None:
    """Without Status-Server, too: whoever asked has waited for all of his tries."""
    world = over_tls(status=NO)
    world.twins[FIRST].silent = True
    number, _ = world.ask()
    up(world)
    cause(world.asked(number))
    assert Disconnect(FIRST) in world.links and world.state(FIRST) == "dead"
