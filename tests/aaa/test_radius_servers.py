"""Which servers a RADIUS client takes for alive, whom it asks then, and what it makes of what they say."""

import pytest

from pmip_tw.aaa.radius.configuration import ServerGroup, StatusServer, Strategy
from pmip_tw.aaa.radius.outcome import ACCOUNTING, AUTHENTICATION
from pmip_tw.aaa.radius.states import NEXT, Event, State
from pmip_tw.addresses import Endpoint, mac
from pmip_tw.wire.radius import Attributes, Code, Request, decode_request
from tests.aaa.radius_world import FIRST, SECOND, SECRET, THIRD, World, cause, code, requests, server

NO, YES = StatusServer.NO, StatusServer.YES
STRANGER = mac("02:00:00:00:00:09")


def two(status: StatusServer = StatusServer.AUTO, **settings: object) -> World:
    return World(server(FIRST, status_server=status), server(SECOND, status_server=status), **settings)


def acquainted(world: World) -> World:
    """Everybody has answered a Status-Server."""
    number, sent = world.ask()
    world.deliver(*sent)
    assert number in world.outcomes and world.state(FIRST) == world.state(SECOND) == "alive"
    world.sent.clear()
    world.observations.clear()
    return world


def names(world: World) -> list[str]:
    return [one.name for one in world.observations if one.name.startswith("radius-server")]


def test_every_state_can_be_left_by_an_answer() -> None:
    for state in State:
        assert state is State.ALIVE or NEXT[state, Event.ANSWERED] is State.ALIVE


def test_status_server_is_asked_once_before_anybody_needs_to_know() -> None:
    """All of a group, with the first request to it: who answers is taken at its word later (RFC 5997)."""
    world = two()
    _, sent = world.ask()
    assert [one.destination for one in requests(sent)] == [FIRST]
    assert {one.destination for one in sent if one.datagram[0] == Code.STATUS_SERVER} == {FIRST, SECOND}
    [status] = [one for one in sent if one.datagram[0] == Code.STATUS_SERVER and one.destination == FIRST]
    asked = decode_request(status.datagram, SECRET)
    assert asked.signed and asked.attributes.first(32) == b"mag1.example.net"
    world.deliver(*sent)
    assert [len(world.ask()[1]) for _ in range(3)] == [1, 1, 1]


def test_a_server_that_falls_silent_is_found_dead_long_before_its_requests_give_up() -> None:
    """
    ask ------> first (silent)
      2 s: repeated, and Status-Server: silent, twice
      5 s: dead; the request goes to the second
    """
    world = acquainted(two())
    world.twins[FIRST].silent = True
    number, _ = world.ask()
    began = world.time
    assert code(world.asked(number)) is Code.ACCESS_ACCEPT
    assert world.time - began < 6.0
    assert world.state(FIRST) == "dead"
    assert names(world) == ["radius-server-suspect", "radius-server-dead"]
    assert world.named("radius-server-dead")[0].cause.startswith(
        "198.51.100.53:1812: no answer, to Status-Server neither - the server is down"
    )
    assert world.ask()[1][0].destination == SECOND


def test_all_who_wait_for_it_go_on_at_once() -> None:
    world = acquainted(two())
    world.twins[FIRST].silent = True
    asked = [world.ask()[0] for _ in range(100)]
    began = world.time
    assert {code(world.asked(number)) for number in asked} == {Code.ACCESS_ACCEPT}
    assert world.time - began < 6.0


def test_icmp_makes_it_suspect_and_status_server_says_what_that_is_worth() -> None:
    """Forged: it costs a question. True: failover begins at once."""
    world = acquainted(two())
    _, sent = world.ask()
    probes = world.take(world.machine.peer_unreachable(FIRST, 3, world.now()))
    assert [one.datagram[0] for one in probes] == [Code.STATUS_SERVER]
    assert world.state(FIRST) == "suspect"
    assert world.ask()[1][0].destination == SECOND
    world.deliver(*probes)
    assert world.state(FIRST) == "alive"
    assert names(world) == ["radius-server-suspect", "radius-server-alive"]
    assert world.ask()[1][0].destination == FIRST
    world.deliver(*sent)


def test_icmp_about_nothing_that_we_asked_is_nothing() -> None:
    world = acquainted(two())
    assert world.take(world.machine.peer_unreachable(FIRST, 3, world.now())) == []
    assert world.state(FIRST) == "alive"


def test_a_dead_server_is_asked_by_status_server_until_it_answers() -> None:
    world = acquainted(two())
    world.twins[FIRST].silent = True
    world.asked(world.ask()[0])
    world.run(60)
    assert world.state(FIRST) in ("dead", "probing")
    assert names(world) == ["radius-server-suspect", "radius-server-dead"], "nothing is said of each probe"
    world.twins[FIRST].silent = False
    world.run(12)
    assert world.state(FIRST) == "alive"
    assert names(world)[-1] == "radius-server-alive"
    assert world.ask()[1][0].destination == FIRST


def test_without_status_server_one_request_finds_out_and_the_others_need_not_wait() -> None:
    world = two(NO)
    world.twins[FIRST].silent = True
    number, _ = world.ask()
    assert code(world.asked(number)) is Code.ACCESS_ACCEPT
    assert world.state(FIRST) == "dead"
    assert world.ask()[1][0].destination == SECOND
    world.time += 34
    probe, [sent] = world.ask()
    assert sent.destination == FIRST and world.state(FIRST) == "probing"
    assert [world.ask()[1][0].destination for _ in range(3)] == [SECOND] * 3
    began = world.time
    assert code(world.asked(probe)) is Code.ACCESS_ACCEPT
    assert world.time - began < 2.5, "it is asked once, and then whoever is alive"
    world.time += 34
    world.twins[FIRST].silent = False
    number, sent = world.ask()
    world.deliver(*sent)
    assert world.state(FIRST) == "alive" and sent[0].destination == FIRST


def test_a_server_that_does_not_know_status_server_is_not_dead_of_it() -> None:
    world = two()
    for twin in world.twins.values():
        twin.knows_status = False
    for _ in range(5):
        number, sent = world.ask()
        world.deliver(*requests(sent))
        assert code(world.outcomes[number]) is Code.ACCESS_ACCEPT
        world.run(30)
        assert (world.state(FIRST), world.state(SECOND)) == ("alive", "untried")
    assert names(world) == []


def test_one_that_was_not_there_when_it_was_greeted_gets_its_share_when_it_is() -> None:
    """It knows no Status-Server, and while another one is alive nobody asks a suspect: it must not stay one."""
    world = World(server(FIRST), server(SECOND), strategy=Strategy.WEIGHTED)
    world.twins[SECOND].knows_status = False
    _, sent = world.ask()
    world.take(world.machine.peer_unreachable(SECOND, 3, world.now()))
    assert world.state(SECOND) == "suspect"
    world.deliver(*[one for one in sent if one.destination == FIRST])
    for _ in range(40):
        world.deliver(*world.ask()[1])
        world.run(1)
    assert world.state(SECOND) == "alive"


def test_rare_requests_find_out_as_well() -> None:
    """dead_time is when a request may find out, however often Status-Server stays silent in between."""
    world = two()
    for twin in world.twins.values():
        twin.knows_status = False
    world.twins[FIRST].silent = True
    assert code(world.asked(world.ask()[0])) is Code.ACCESS_ACCEPT
    assert world.state(FIRST) == "dead"
    world.twins[FIRST].silent = False
    world.run(40)
    assert requests(world.ask()[1])[0].destination == FIRST


@pytest.mark.parametrize(("rule", "found"), [(StatusServer.AUTO, FIRST), (StatusServer.YES, SECOND)])
def test_one_that_answers_no_status_server_any_more_is_asked_by_a_request(
    rule: StatusServer, found: Endpoint
) -> None:
    """What it did once is not believed for ever: a firewall may have been told so since. The operator is believed."""
    world = acquainted(World(server(FIRST, status_server=rule), server(SECOND)))
    world.twins[FIRST].silent = True
    assert code(world.asked(world.ask()[0])) is Code.ACCESS_ACCEPT
    assert world.state(FIRST) == "dead"
    world.twins[FIRST].silent, world.twins[FIRST].knows_status = False, False
    world.run(200)
    assert requests(world.ask()[1])[0].destination == SECOND
    world.run(150)
    assert requests(world.ask()[1])[0].destination == found


def test_a_status_server_on_its_way_to_one_that_answers_none_keeps_no_request_away() -> None:
    """
    dead ---Status-Server---> (it does not know that)
         ---request---------> Access-Accept
    """
    world = World(server())
    world.twins[FIRST].knows_status = False
    world.twins[FIRST].silent = True
    assert "no answer" in cause(world.asked(world.ask()[0]))
    world.twins[FIRST].silent = False
    while world.state() != "probing":
        world.wake()
    number, sent = world.ask()
    world.deliver(*sent)
    assert code(world.outcomes[number]) is Code.ACCESS_ACCEPT and world.state() == "alive"
    world.run(20)
    assert world.state() == "alive", "the Status-Server that stays unanswered says nothing"


def test_what_was_asked_before_does_not_end_the_question_whether_it_is_still_dead() -> None:
    """
    both die; requests are left at the second, and another one asks it whether it is still dead
    the first is back; at the second those that were left give up, then the one that asked
    the second is back: it is asked again
    """
    world = two(NO, tries=1)
    for twin in world.twins.values():
        twin.silent = True
    for _ in range(4):
        world.ask()
    while world.state(SECOND) != "dead":
        world.wake()
    assert world.machine.asking
    world.twins[FIRST].silent = False
    asked = [one for _ in range(2) for one in world.ask()[1]]
    assert [one.destination for one in asked] == [FIRST, SECOND] and world.state(SECOND) == "probing"
    world.deliver(*asked)
    world.run(20)
    assert (world.state(FIRST), world.state(SECOND)) == ("alive", "dead")
    world.twins[SECOND].silent = False
    world.run(40)
    for _ in range(2):
        world.deliver(*world.ask()[1])
    assert world.state(FIRST) == world.state(SECOND) == "alive"


def test_nobody_is_suspect_for_ever_for_what_icmp_said() -> None:
    """
    ask ------> first: lost          ask ------> first: answered, so that it is alive
    ICMP about the first: suspect    what was lost is given up, and nobody else asks it
    """
    world = two(NO, tries=1)
    world.ask()
    world.time += 0.5
    world.deliver(*world.ask()[1])
    world.take(world.machine.peer_unreachable(FIRST, 3, world.now()))
    assert world.state(FIRST) == "suspect"
    world.run(40)
    world.deliver(*world.ask()[1])
    assert world.state(FIRST) == "alive"


def test_with_yes_it_is() -> None:
    world = two(YES)
    world.twins[SECOND].knows_status = False
    world.deliver(*world.ask()[1])
    world.run(10)
    assert (world.state(FIRST), world.state(SECOND)) == ("alive", "dead")


def test_a_server_that_drops_one_users_requests_is_alive_to_the_others() -> None:
    world = acquainted(two())
    world.twins[FIRST].decides = lambda received: (
        None if received.attributes.first(1) == b"02-00-00-00-00-09" else (Code.ACCESS_ACCEPT, Attributes())
    )
    number, _ = world.ask(STRANGER)
    for _ in range(20):
        world.deliver(*world.ask()[1])
        world.run(1)
    assert code(world.outcomes[number]) is Code.ACCESS_REJECT, "the second server says it"
    assert "radius-server-dead" not in names(world) and world.state(FIRST) == "alive"


def test_when_all_are_dead_one_request_at_a_time_asks_each_and_the_others_are_told_at_once() -> None:
    world = two(NO)
    for twin in world.twins.values():
        twin.silent = True
    number, _ = world.ask()
    assert "198.51.100.53:1812: no answer" in cause(world.asked(number))
    assert world.state(FIRST) == world.state(SECOND) == "dead"
    first, [sent] = world.ask()
    second, [other] = world.ask()
    assert [sent.destination, other.destination] == [FIRST, SECOND]
    third, nothing = world.ask()
    assert nothing == [] and "asked by somebody else" in cause(world.outcomes[third])
    world.twins[FIRST].silent = False
    assert code(world.asked(first)) is Code.ACCESS_ACCEPT, "a retransmission finds it"
    assert code(world.asked(second)) is Code.ACCESS_ACCEPT
    assert world.state(FIRST) == "alive"


def test_both_die_and_both_come_back() -> None:
    world = acquainted(two())
    for twin in world.twins.values():
        twin.silent = True
    number, _ = world.ask()
    text = cause(world.asked(number))
    assert str(FIRST) in text and str(SECOND) in text
    world.run(100)
    for twin in world.twins.values():
        twin.silent = False
    world.run(12)
    assert world.state(FIRST) == world.state(SECOND) == "alive"


def test_a_late_answer_revives() -> None:
    """It is no answer any more to whoever asked, but a sign of life... of a request that still waits."""
    world = World(server(status_server=NO))
    world.twins[FIRST].silent = True
    first, [old] = world.ask()
    world.time += 5
    world.asked(first)
    assert world.state() == "dead"
    number, sent = world.ask()
    world.receive(b"\2" + old.datagram[1:2] + b"\0\x14" + bytes(16), FIRST)
    assert world.state() == "probing", "nothing unproven revives"
    world.twins[FIRST].silent = False
    world.deliver(*sent)
    assert world.state() == "alive" and number in world.outcomes


# Conversations


def test_a_pinned_request_goes_to_its_server_whatever_the_order() -> None:
    world = two(NO)
    number, [sent] = world.ask(pinned=SECOND)
    assert sent.destination == SECOND
    world.deliver(sent)
    assert code(world.outcomes[number]) is Code.ACCESS_ACCEPT


def test_a_pinned_server_that_dies_ends_the_conversation_which_says_so() -> None:
    world = acquainted(two())
    world.twins[FIRST].silent = True
    pinned, _ = world.ask(pinned=FIRST)
    free, _ = world.ask()
    assert code(world.asked(free)) is Code.ACCESS_ACCEPT
    text = cause(world.asked(pinned))
    assert "led by 198.51.100.53:1812, and no other server can go on with it" in text
    assert not [one for _, one in requests_of(world) if one.destination == SECOND][1:], (
        "it is asked elsewhere"
    )
    number, sent = world.ask(pinned=FIRST)
    assert sent == [] and "is dead" in cause(world.outcomes[number])


def requests_of(world: World) -> list[tuple[float, object]]:
    return [(when, one) for when, one in world.sent if one.datagram[0] != Code.STATUS_SERVER]


def test_nobody_else_answers_for_an_unknown_server() -> None:
    world = two()
    number, _ = world.ask(pinned=Endpoint(FIRST.address, 1645))
    assert "is no server of ours" in cause(world.outcomes[number])


# Strategies


def test_weighted_servers_get_their_shares() -> None:
    world = World(
        server(FIRST, weight=3, status_server=NO),
        server(SECOND, status_server=NO),
        strategy=Strategy.WEIGHTED,
    )
    asked = []
    for _ in range(40):
        _, [sent] = world.ask()
        asked.append(sent.destination)
        world.deliver(sent)
    assert asked.count(FIRST) == 30 and asked.count(SECOND) == 10
    assert max(map(len, "".join("F" if one == FIRST else "s" for one in asked).split("s"))) <= 4


def test_of_weighted_servers_the_living_share_what_the_dead_had() -> None:
    world = World(
        *(server(one, status_server=NO) for one in (FIRST, SECOND, THIRD)), strategy=Strategy.WEIGHTED
    )
    world.twins[SECOND].silent = True
    for _ in range(3):
        world.asked(world.ask()[0])
    asked = [world.ask()[1][0].destination for _ in range(10)]
    assert asked.count(FIRST) == asked.count(THIRD) == 5


def test_accounts_that_are_kept_slowly_kill_nobodys_authentication() -> None:
    """States are of ports, not of machines."""
    port = Endpoint(FIRST.address, 1813)
    world = World(
        groups=[
            ServerGroup(name=AUTHENTICATION, servers=(server(FIRST),)),
            ServerGroup(name=ACCOUNTING, servers=(server(port),)),
        ]
    )
    world.twins[port].silent = True
    number, _ = world.ask(Request(code=Code.ACCOUNTING_REQUEST), ACCOUNTING)
    cause(world.asked(number))
    assert (world.state(FIRST), world.state(port)) == ("untried", "dead")


# Whoever has little room


@pytest.mark.parametrize("status", [NO, YES])
def test_a_full_server_that_dies_is_noticed(status: StatusServer) -> None:
    """Status-Server needs an identifier of its own."""
    world = World(server(FIRST, status_server=status, max_outstanding=4095), max_outstanding=5000)
    world.deliver(*world.ask()[1])
    world.twins[FIRST].silent = True
    for _ in range(4095):
        world.ask()
    world.run(18)
    assert world.state(FIRST) in ("dead", "probing")
    assert world.machine.asking == 0
