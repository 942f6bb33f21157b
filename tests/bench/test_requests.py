"""What the generator prepares is what a MAG would send, and what is not right is noticed."""

import time

from msgspec.structs import replace

from bench.nodes import is_authentic, key, nai, node_in
from bench.requests import Requests, accepted, acknowledgment, forged, identification_in, numbered
from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from pmip_tw.wire.revocation import Revocation, RevocationAck
from tests.mag.bench import MAG, Bench

LMA = ipv4("192.0.2.1")


def association(node: int) -> SecurityAssociation:
    return SecurityAssociation(4096, Secret(key(node)))


def test_requests_are_those_of_the_products_own_encoder() -> None:
    requests = Requests(LMA)
    requests.check()
    one, other = (requests.signed(node, 9, wall=time.time()) for node in (1, 2))
    assert len(one) == requests.size
    assert node_in(one) == 1
    assert is_authentic(one)
    assert not is_authentic(forged(one))
    first, second = RegistrationRequest.decode(one), RegistrationRequest.decode(other)
    assert second.identification > first.identification
    assert abs((first.identification >> 32) - 2_208_988_800 - time.time()) < 7, "within the LMA's window"
    assert identification_in(one) == first.identification & 0xFFFFFFFF


def test_they_are_what_a_mag_sends_that_is_configured_no_further() -> None:
    by_a_mag = Bench().begin()
    node = association(1)
    written = Requests(LMA).signed(1, MAG, wall=time.time())
    request = RegistrationRequest.decode(written)
    of_this_node = replace(
        by_a_mag,
        nai=nai(1),
        home_agent=LMA,
        identification=request.identification,
        revocation=request.revocation,
    )
    assert of_this_node.encode(mn_ha=node) == written
    assert by_a_mag.revocation is not None and request.revocation is not None
    assert by_a_mag.revocation.inform == request.revocation.inform


def test_a_reply_finds_its_request() -> None:
    request = RegistrationRequest.decode(Requests(LMA).signed(1, 9, wall=0))
    replies = [
        RegistrationReply(
            code=code,
            lifetime=1800,
            home_address=Ipv4(5),
            home_agent=LMA,
            identification=request.identification,
            nai=nai(1),
        ).encode(mn_ha=association(1))
        for code in (0, 1, 131)
    ]
    assert all(map(is_authentic, replies))
    assert {identification_in(reply) for reply in replies} == {request.identification & 0xFFFFFFFF}
    assert accepted(replies) == 2


def test_revocations_are_acknowledged_as_a_mag_does() -> None:
    revocation = Revocation(
        from_home_agent=True,
        nai=nai(3),
        home_address=Ipv4(5),
        home_domain=LMA,
        foreign_domain=Ipv4(9),
        identifier=77,
    )
    ack = acknowledgment(revocation.encode(mn_ha=association(3)))
    expected = RevocationAck(nai=nai(3), home_address=Ipv4(5), identifier=77)
    assert ack == expected.encode(mn_ha=association(3))


def test_numbered_messages_differ_in_what_an_echo_is_recognized_by() -> None:
    request = Requests(LMA).signed(1, 9, wall=0)
    messages = numbered(request, 300)
    assert [identification_in(message) for message in messages] == list(range(300))
    assert {len(message) for message in messages} == {len(request)}
