"""The exchanges of a RADIUS client, told about time and datagrams; the servers are twins without sockets."""

import pytest

from pmip_tw.aaa.mac_authentication import MacFormat, mac_request
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius.configuration import (
    RadiusServer,
    RadiusSettings,
    RequireSignature,
    ServerGroup,
    StatusServer,
)
from pmip_tw.aaa.radius.outcome import ACCOUNTING, AUTHENTICATION
from pmip_tw.addresses import Endpoint, Mac, mac
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import (
    Attributes,
    AttributeType,
    Code,
    Request,
    decode_request,
    encode_answer,
    encode_request,
    split_value,
)
from tests.aaa.radius_world import FIRST, MN1, NAS, SECOND, SECRET, World, cause, code, requests, server
from tests.conformance import covers

NO = StatusServer.NO

COMPLAINT = "answer does not verify - is the shared secret the same on both sides?"


def crowd(size: int) -> list[Mac]:
    return [Mac(b"\2\0\0\1" + index.to_bytes(2, "big")) for index in range(size)]


def test_accept() -> None:
    world = World(server(status_server=NO))
    number, sent = world.ask()
    world.deliver(*sent)
    assert code(world.outcomes[number]) is Code.ACCESS_ACCEPT
    assert world.machine.next_deadline() is None or not world.wake()
    assert [observation.name for observation in world.observations] == [
        "radius-request-sent",
        "radius-answer",
    ]


def test_reject() -> None:
    world = World()
    number, sent = world.ask(mac("02:00:00:00:00:09"))
    world.deliver(*sent)
    assert code(world.outcomes[number]) is Code.ACCESS_REJECT


@covers("AA24")
def test_the_request_says_who_and_where() -> None:
    """AA24; Calling-Station-Id is upper case with dashes whatever the user name looks like (RFC 3580 3.21)."""
    asked = mac_request(mac("02:00:00:00:00:ab"), "eth1", NAS, MacFormat.PLAIN)
    octets = encode_request(asked, identifier=1, authenticator=bytes(16), secret=SECRET)
    request = decode_request(octets, SECRET)
    assert request.password == Secret(b"0200000000ab")
    assert [request.attributes.first(kind) for kind in (1, 31, 6, 61, 87, 32, 4)] == [
        b"0200000000ab",
        b"02-00-00-00-00-AB",
        b"\0\0\0\x0a",
        b"\0\0\0\x0f",
        b"eth1",
        b"mag1.example.net",
        b"\xc6\x33\x64\x0a",
    ]


@pytest.mark.parametrize("mac_format", MacFormat)
def test_mac_formats_are_written_as_they_are_called(mac_format: MacFormat) -> None:
    assert mac_format.write(mac("aa:bb:cc:dd:ee:ff")) == mac_format.value


@covers("AA6")
def test_retransmissions_are_the_same_octets_at_doubling_distances() -> None:
    """AA6: 2-4-8 s, each within a tenth (RFC 5080 2.2.1)."""
    world = World(server(status_server=NO))
    world.twins[FIRST].silent = True
    number, _ = world.ask()
    outcome = world.asked(number)
    times = [when for when, _ in world.sent]
    assert len({transmit.datagram for _, transmit in world.sent}) == 1
    assert len(times) == 3
    waits = [later - earlier for earlier, later in zip(times, [*times[1:], world.time], strict=True)]
    assert waits[0] == pytest.approx(2.0, rel=0.12)
    assert waits[1:] == [pytest.approx(2 * previous, rel=0.07) for previous in waits[:-1]]
    assert "no answer in 3 tries" in cause(outcome)
    assert world.machine.asking == 0


def test_times_vary_so_that_many_do_not_come_together() -> None:
    world = World(server(status_server=NO))
    for who in crowd(50):
        world.ask(who)
    due = {one.due for one in next(iter(world.machine._servers.values())).outstanding.values()}
    assert len(due) == 50


def test_an_early_wake_up_sends_nothing() -> None:
    world = World()
    world.ask()
    world.time += 0.5
    assert world.take(world.machine.wake(world.now())) == []


def test_a_retransmission_is_answered_like_the_first_and_a_late_answer_is_ignored() -> None:
    world = World(server(status_server=NO))
    number, [first] = world.ask()
    [second] = world.wake()
    world.deliver(second)
    world.deliver(first)
    assert code(world.outcomes[number]) is Code.ACCESS_ACCEPT
    assert world.reasons() == ["unexpected"]


@covers("AA6")
def test_the_next_server_gets_its_own_request_and_each_cause_is_told() -> None:
    """Written anew: another secret, authenticator and identifier; never the octets that another server has."""
    second = RadiusServer(endpoint=SECOND, secret=Secret(b"another"), status_server=NO)
    world = World(server(status_server=NO), second)
    for twin in world.twins.values():
        twin.silent = True
    number, _ = world.ask()
    world.take(world.machine.peer_unreachable(FIRST, 3, world.now()))
    outcome = world.asked(number)
    by_server = {
        endpoint: {t.datagram for _, t in world.sent if t.destination == endpoint} for endpoint in world.twins
    }
    assert [len(datagrams) for datagrams in by_server.values()] == [1, 1]
    [one], [other] = by_server.values()
    assert one[4:20] != other[4:20]
    assert decode_request(one, SECRET).password == decode_request(other, Secret(b"another")).password
    assert cause(outcome) == (
        "198.51.100.53:1812: nothing listens on that port (ICMP port unreachable); "
        "198.51.100.54:1812: no answer in 3 tries - the server is down, or drops requests of an unknown client"
        " or with a wrong shared secret"
    )


def test_icmp_ends_nothing() -> None:
    """Anybody can forge it: an answer that still comes counts."""
    world = World()
    number, sent = world.ask()
    world.take(world.machine.peer_unreachable(FIRST, 3, world.now()))
    assert number not in world.outcomes
    world.deliver(*sent)
    assert code(world.outcomes[number]) is Code.ACCESS_ACCEPT


def test_one_forged_answer_does_not_say_why_a_server_is_silent() -> None:
    """Whoever guesses port and identifier once sends the operator to look after a secret that is right."""
    world = World(server(status_server=NO))
    world.twins[FIRST].answer_secret = Secret(b"of nobody")
    number, sent = world.ask()
    world.deliver(*sent)
    world.twins[FIRST].silent = True
    told = cause(world.asked(number))
    assert told.startswith("198.51.100.53:1812: no answer in 3 tries - the server is down")
    assert told.endswith("; what came besides, perhaps of somebody else: " + COMPLAINT)


def test_answers_of_another_secret_are_dropped_and_named_in_the_end() -> None:
    world = World(server(status_server=NO))
    world.twins[FIRST].answer_secret = Secret(b"another")
    number, sent = world.ask()
    world.deliver(*sent)
    assert number not in world.outcomes
    assert cause(world.asked(number)) == (f"198.51.100.53:1812: {COMPLAINT}")
    assert set(world.reasons()) == {"bad-authenticator"}


def test_a_forged_answer_does_not_keep_the_true_one_out() -> None:
    world = World(server(status_server=NO))
    number, [request] = world.ask()
    world.receive(b"\x03" + request.datagram[1:2] + b"\0\x14" + bytes(16), FIRST)
    world.receive(b"\x02" + request.datagram[1:2] + b"\0\x14", FIRST)
    world.receive(request.datagram, Endpoint(FIRST.address, 1645))
    assert world.reasons() == ["bad-authenticator", "truncated", "unknown-source"]
    assert number not in world.outcomes
    world.deliver(request)
    assert code(world.outcomes[number]) is Code.ACCESS_ACCEPT


def test_answers_that_cross_find_their_own_requests() -> None:
    world = World(server(status_server=NO))
    stranger = mac("02:00:00:00:00:09")
    asked = [world.ask(who) for who in (MN1, stranger, MN1)]
    world.deliver(*[sent for _, [sent] in reversed(asked)])
    codes = [code(world.outcomes[number]) for number, _ in asked]
    assert codes == [Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_ACCEPT]


def test_an_answer_to_somebody_elses_request_is_none_to_ours() -> None:
    """Right in every octet, but the identifier is another's, or the socket."""
    world = World(server(status_server=NO))
    number, [one] = world.ask()
    _, [other] = world.ask(mac("02:00:00:00:00:09"))
    answer = world.twins[FIRST].answer(other.datagram)
    assert answer is not None
    swapped = answer[:1] + one.datagram[1:2] + answer[2:]
    world.receive(swapped, FIRST)
    world.receive(answer, FIRST, socket=1)
    assert number not in world.outcomes and world.reasons() == ["bad-authenticator", "unexpected"]


def test_a_replayed_answer_is_none_to_a_later_request_of_the_same_identifier() -> None:
    world = World(server(status_server=NO))
    number, [first] = world.ask()
    answer = world.twins[FIRST].answer(first.datagram)
    assert answer is not None
    world.receive(answer, FIRST)
    later = world.ask()
    while later[1][0].datagram[1] != first.datagram[1]:
        world.deliver(*later[1])
        later = world.ask()
    world.receive(answer, FIRST)
    assert number in world.outcomes and later[0] not in world.outcomes
    assert world.reasons() == ["bad-authenticator"]


@covers("AA3")
def test_auto_demands_signatures_from_the_first_signed_answer_on() -> None:
    """AA3."""
    world = World(server(status_server=NO))
    twin = world.twins[FIRST]
    twin.signs = False
    for _ in range(2):
        number, sent = world.ask()
        world.deliver(*sent)
        assert code(world.outcomes[number]) is Code.ACCESS_ACCEPT
    assert world.reasons("radius-server-unsigned") == ["unsigned"], "said once"
    twin.signs = True
    world.deliver(*world.ask()[1])
    twin.signs = False
    number, sent = world.ask()
    world.deliver(*sent)
    assert world.reasons() == ["no-message-authenticator"]
    assert "no Message-Authenticator" in cause(world.asked(number))


@covers("AA3")
def test_who_signs_eap_and_status_server_only_is_not_asked_for_more() -> None:
    """As FreeRADIUS 3.2.1 does; its EAP must be signed all the same, from the first one on."""
    world = World()
    twin = world.twins[FIRST]
    eap = Attributes(split_value(AttributeType.EAP_MESSAGE, b"\1\1\0\5\1"))
    world.deliver(*world.ask()[1])  # Status-Server among them, which is always signed
    twin.decides = lambda received: (Code.ACCESS_CHALLENGE, eap)
    number, sent = world.ask()
    twin.signs = False
    world.deliver(*sent)
    assert number not in world.outcomes and world.reasons() == ["no-message-authenticator"]
    twin.signs = True
    world.deliver(*sent)
    assert code(world.outcomes[number]) is Code.ACCESS_CHALLENGE


@covers("AA3")
@pytest.mark.parametrize("signed_before", ["eap", "status-server"])
def test_what_is_signed_of_another_kind_demands_nothing(signed_before: str) -> None:
    world = World(server(status_server=NO if signed_before == "eap" else StatusServer.AUTO))
    twin = world.twins[FIRST]
    eap = Attributes(split_value(AttributeType.EAP_MESSAGE, b"\1\1\0\5\1"))
    number, sent = world.ask()
    if signed_before == "eap":
        twin.decides = lambda received: (Code.ACCESS_CHALLENGE, eap)
    else:
        world.deliver(*[one for one in sent if one not in requests(sent)])
        twin.signs = False
    world.deliver(*requests(sent))
    assert number in world.outcomes
    twin.signs = False
    twin.decides = lambda received: (Code.ACCESS_REJECT, Attributes())
    number, sent = world.ask()
    world.deliver(*sent)
    assert code(world.outcomes[number]) is Code.ACCESS_REJECT


@covers("AA3")
@pytest.mark.parametrize(
    ("require", "accepted"),
    [(RequireSignature.YES, False), (RequireSignature.EAP_ONLY, True), (RequireSignature.NO, True)],
)
def test_other_demands(require: RequireSignature, accepted: bool) -> None:
    world = World(server(require_message_authenticator=require, status_server=NO))
    world.twins[FIRST].signs = False
    number, sent = world.ask()
    world.deliver(*sent)
    assert (number in world.outcomes) is accepted
    assert world.reasons("radius-server-unsigned") == []


@covers("AA3")
@pytest.mark.parametrize("require", [RequireSignature.AUTO, RequireSignature.EAP_ONLY])
@pytest.mark.parametrize("forged", [Code.ACCESS_ACCEPT, Code.ACCESS_CHALLENGE])
def test_what_answers_eap_is_signed_although_it_carries_none(require: RequireSignature, forged: Code) -> None:
    """Whoever forges an Accept leaves EAP out of it, and a server that is asked by EAP alone never signs the rest."""
    world = World(server(require_message_authenticator=require, status_server=NO))
    twin = world.twins[FIRST]
    twin.signs = False
    twin.decides = lambda received: (forged, Attributes())
    by_eap = Request(attributes=Attributes(split_value(AttributeType.EAP_MESSAGE, b"\2\7\0\6\4\0")))
    number, sent = world.ask(by_eap)
    world.deliver(*sent)
    assert number not in world.outcomes and world.reasons() == ["no-message-authenticator"]
    twin.decides = lambda received: (Code.ACCESS_REJECT, Attributes())
    world.deliver(*sent)
    assert code(world.outcomes[number]) is Code.ACCESS_REJECT, "of who refuses before he looks at EAP"


def test_accounting_goes_to_its_own_port_and_needs_no_signature() -> None:
    """Its authenticator is keyed (AA5), and no RFC signs it otherwise."""
    port = Endpoint(FIRST.address, 1813)
    world = World(
        groups=[
            ServerGroup(name=AUTHENTICATION, servers=(server(status_server=NO),)),
            ServerGroup(
                name=ACCOUNTING,
                servers=(server(port, require_message_authenticator=RequireSignature.YES, status_server=NO),),
            ),
        ]
    )
    record = Request(code=Code.ACCOUNTING_REQUEST, attributes=Attributes([(40, b"\0\0\0\1")]))
    number, [sent] = world.ask(record, ACCOUNTING)
    assert sent.destination == port
    world.deliver(sent)
    assert code(world.outcomes[number]) is Code.ACCOUNTING_RESPONSE


def test_proxy_state_comes_back_only_if_it_was_sent() -> None:
    """The chosen-prefix collision of a forged answer hides there."""
    world = World(server(status_server=NO))
    echo = Attributes([(33, b"ours")])
    world.twins[FIRST].signs = False
    world.twins[FIRST].decides = lambda received: (Code.ACCESS_ACCEPT, echo)
    number, sent = world.ask(Request(attributes=echo))
    world.deliver(*sent)
    assert code(world.outcomes[number]) is Code.ACCESS_ACCEPT
    number, sent = world.ask(Request())
    world.deliver(*sent)
    assert number not in world.outcomes and world.reasons() == ["bad-authenticator"]


@covers("AA3")
def test_an_accept_that_a_man_in_the_middle_made_of_a_reject_is_not_believed_once_the_server_signs() -> None:
    world = World(server(status_server=NO))
    world.deliver(*world.ask()[1])
    number, [sent] = world.ask(mac("02:00:00:00:00:09"))
    forged = encode_answer(
        Code.ACCESS_ACCEPT,
        Attributes(),
        identifier=sent.datagram[1],
        request_authenticator=sent.datagram[4:20],
        secret=SECRET,  # as if MD5 had been broken
        signed=False,
    )
    world.receive(forged, FIRST)
    assert number not in world.outcomes
    world.deliver(sent)
    assert code(world.outcomes[number]) is Code.ACCESS_REJECT


def test_identifiers_go_round_before_one_is_used_again() -> None:
    world = World(server(status_server=NO))
    used = []
    for _ in range(256):
        _, [request] = world.ask()
        used.append(request.datagram[1])
        world.deliver(request)
    assert len(set(used)) == 256


def test_settings_that_cannot_be() -> None:
    one = server()
    with pytest.raises(ValueError, match="no RADIUS server"):
        ServerGroup(name="authentication", servers=())
    with pytest.raises(ValueError, match="twice"):
        ServerGroup(name="authentication", servers=(one, one))
    with pytest.raises(ValueError, match="differently"):
        RadiusSettings(
            groups=(
                ServerGroup(name="a", servers=(one,)),
                ServerGroup(name="b", servers=(server(weight=2),)),
            )
        )
    with pytest.raises(ValueError, match="at a time"):
        server(tls=True, max_outstanding=256)
    with pytest.raises(ValueError, match="weight"):
        server(weight=0)
    with pytest.raises(ValueError, match="try"):
        RadiusSettings(groups=(), tries=0)
    with pytest.raises(ValueError, match="NAS-Identifier"):
        Nas(identifier="x" * 254)


def test_no_secret_is_shown() -> None:
    world = World()
    world.ask()
    shown = repr((world.sent, world.observations, world.machine, server(), world.machine.rows(0.0)))
    assert "testing123" not in shown and "02-00-00-00-00-01" not in shown


def test_who_waits_is_told_when_nobody_can_be_written_to() -> None:
    world = World()
    number, _ = world.ask(Request(attributes=Attributes([(1, bytes(254))])))
    assert "254 octets" in cause(world.outcomes[number])
    assert world.machine.asking == 0 and world.machine.waiting == 0
