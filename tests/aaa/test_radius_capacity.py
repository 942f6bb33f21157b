"""More is asked than servers take: sockets, bounds, and who is served when not all can be."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pmip_tw.aaa.radius.configuration import ServerGroup, StatusServer
from pmip_tw.aaa.radius.effects import Transmit
from pmip_tw.aaa.radius.exchange import Exchange
from pmip_tw.aaa.radius.outcome import ACCOUNTING, AUTHENTICATION
from pmip_tw.aaa.radius.slots import Slots
from pmip_tw.aaa.radius.waiting import Waiting
from pmip_tw.addresses import Endpoint, Mac
from pmip_tw.wire.radius import Code, Request
from tests.aaa.radius_world import FIRST, SECOND, World, cause, code, server

NO = StatusServer.NO


def answer_all(world: World, sent: list[Transmit]) -> None:
    while sent:
        sent = world.deliver(*sent)


def test_more_than_256_at_a_time_use_more_sockets() -> None:
    """No identifier is used twice at a time on one of them, and each answer belongs to its socket."""
    world = World(server(status_server=NO, max_outstanding=1000))
    asked = [world.ask() for _ in range(700)]
    sent = [one for _, [one] in asked]
    assert Counter(one.socket for one in sent) == {0: 256, 1: 256, 2: 188}
    assert len({(one.socket, one.datagram[1]) for one in sent}) == 700
    answer_all(world, sent)
    assert {code(world.outcomes[number]) for number, _ in asked} == {Code.ACCESS_ACCEPT}
    assert world.ask()[1][0].socket < 3, "those that are open do"


def test_identifiers_rest_longest_before_they_are_used_again() -> None:
    slots = Slots(250, 2)
    first = [slots.take() for _ in range(256)]
    assert first[0] == 250 and first[6] == 0 and slots.sockets == 1
    slots.give_back(17)
    slots.give_back(3)
    assert [slots.take(), slots.take()] == [17, 3]
    assert slots.take() == 256 + 250 and slots.sockets == 2
    rest = [slots.take() for _ in range(255)]
    assert None not in rest and slots.take() is None


def test_a_server_has_no_more_than_it_is_to_have_and_the_next_one_helps() -> None:
    world = World(server(FIRST, status_server=NO, max_outstanding=2), server(SECOND, status_server=NO))
    assert [world.ask()[1][0].destination for _ in range(4)] == [FIRST, FIRST, SECOND, SECOND]


def test_who_finds_no_room_waits_and_is_asked_when_there_is() -> None:
    world = World(server(status_server=NO, max_outstanding=2))
    asked = [world.ask() for _ in range(6)]
    assert [len(sent) for _, sent in asked] == [1, 1, 0, 0, 0, 0]
    assert (world.machine.asking, world.machine.waiting) == (2, 4)
    answer_all(world, [one for _, sent in asked for one in sent])
    assert len(world.outcomes) == 6 and (world.machine.asking, world.machine.waiting) == (0, 0)


def test_nobody_waits_for_ever() -> None:
    world = World(server(status_server=NO, max_outstanding=1), tries=10)
    world.twins[FIRST].silent = True
    world.ask()
    number, _ = world.ask()
    began = world.time
    assert "no server had room" in cause(world.asked(number))
    assert 10 <= world.time - began < 10.1
    assert world.reasons("radius-overload") == ["overload"]
    assert world.machine.waiting == 0


def test_all_together_are_bounded_and_who_asks_most_is_refused_first() -> None:
    """One access port floods: another one's nodes lose nothing, and what is refused says why."""
    world = World(server(status_server=NO), max_outstanding=10, max_waiting=20)
    flood = [world.ask(flow="eth1")[0] for _ in range(100)]
    quiet = [world.ask(flow="eth2") for _ in range(10)]
    assert (world.machine.asking, world.machine.waiting) == (10, 20)
    refused = [number for number in flood if number in world.outcomes]
    assert len(refused) == 80
    assert "30 requests are outstanding or wait already, and of eth1 the most" in cause(
        world.outcomes[refused[0]]
    )
    assert not any(number in world.outcomes for number, _ in quiet)
    assert len(world.reasons("radius-overload")) == 80
    answer_all(world, [one for _, one in world.sent])
    order = [number for number in world.outcomes if code_or_none(world, number)]
    assert {number for number, _ in quiet} <= set(order)
    waited = [number for number in order if number > flood[9]]
    mine = {number for number, _ in quiet}
    assert [number in mine for number in waited] == [False, True] * 10, "in turn, not one after the other"


def code_or_none(world: World, number: int) -> Code | None:
    outcome = world.outcomes[number]
    return getattr(outcome, "answer", None) and outcome.answer.code


def test_conversations_under_way_come_before_those_that_would_begin() -> None:
    world = World(server(status_server=NO, max_outstanding=1))
    _, sent = world.ask()
    new, _ = world.ask()
    going_on, _ = world.ask(pinned=FIRST)
    world.deliver(*world.deliver(*sent))
    assert going_on in world.outcomes and new not in world.outcomes


def test_those_who_wait_for_one_group_hold_up_no_other() -> None:
    port = Endpoint(FIRST.address, 1813)
    world = World(
        groups=[
            ServerGroup(name=AUTHENTICATION, servers=(server(FIRST, status_server=NO, max_outstanding=1),)),
            ServerGroup(name=ACCOUNTING, servers=(server(port, status_server=NO, max_outstanding=1),)),
        ]
    )
    assert [len(world.ask()[1]) for _ in range(3)] == [1, 0, 0]
    record = Request(code=Code.ACCOUNTING_REQUEST)
    assert [len(world.ask(record, ACCOUNTING)[1]) for _ in range(2)] == [1, 0]


def exchange(number: int, flow: str, group: str = "authentication") -> Exchange:
    return Exchange(number, Request(), group, started=0.0, flow=flow)


@settings(max_examples=200)
@given(
    steps=st.lists(
        st.one_of(st.sampled_from("abcd"), st.just("take"), st.just("remove")), min_size=1, max_size=120
    ),
    most=st.integers(1, 12),
)
def test_the_queue_is_bounded_and_fair_whatever_comes(steps: list[str], most: int) -> None:
    """Each flow keeps its order; only a flow that is as long as any loses one, its newest; nobody gets lost."""
    waiting = Waiting(most)
    model: dict[str, list[Exchange]] = {}
    for number, step in enumerate(steps, 1):
        if step == "take":
            taken: list[Exchange] = []

            def place(one: Exchange, taken: list[Exchange] = taken) -> bool:
                taken.append(one)
                return True

            assert waiting.take(place) is bool(taken) is any(model.values())
            for one in taken:
                assert model[one.flow].pop(0) is one
        elif step == "remove":
            left = [one for flow in model.values() for one in flow]
            if left:
                waiting.remove(left[-1])
                model[left[-1].flow].remove(left[-1])
        else:
            one = exchange(number, step)
            model.setdefault(step, []).append(one)
            victim = waiting.add(one)
            if victim is not None:
                assert len(model[victim.flow]) == max(map(len, model.values()))
                assert model[victim.flow].pop() is victim
        assert len(waiting) == sum(map(len, model.values())) <= most


def test_where_nobody_asks_more_than_others_who_comes_last_finds_no_room() -> None:
    """Not who waits longest: a crowd in which everybody gives way to the next is one in which nobody is served."""
    waiting = Waiting(3)
    for number, flow in enumerate("abc", 1):
        assert waiting.add(exchange(number, flow)) is None
    late = exchange(4, "d")
    assert waiting.add(late) is late
    order: list[int] = []
    while waiting.take(lambda one: order.append(one.number) or True):
        pass
    assert order == [1, 2, 3]


def test_flows_take_turns() -> None:
    waiting = Waiting(100)
    for number in range(6):
        waiting.add(exchange(number + 1, "busy"))
    waiting.add(exchange(7, "quiet"))
    order: list[int] = []
    while waiting.take(lambda one: order.append(one.number) or True):
        pass
    assert order == [1, 7, 2, 3, 4, 5, 6]


def test_who_cannot_be_placed_stands_in_nobody_elses_way() -> None:
    waiting = Waiting(100)
    waiting.add(exchange(1, "", "accounting"))
    waiting.add(exchange(2, "", "authentication"))
    assert waiting.take(lambda one: one.group == "authentication")
    assert not waiting.take(lambda one: one.group == "authentication")
    assert len(waiting) == 1


def test_a_flood_of_strangers_is_a_flood_of_one_port() -> None:
    """Thousands of MACs: memory is bounded, and everybody is told."""
    world = World(server(status_server=NO), max_outstanding=50, max_waiting=100)
    for index in range(5000):
        world.ask(Mac(b"\2\0\0\2" + index.to_bytes(2, "big")), flow="eth1")
    assert (world.machine.asking, world.machine.waiting) == (50, 100)
    assert len(world.outcomes) == 4850
