"""What replies carry beyond the registration: the home link (P70), causes of refusals, and what they never carry."""

import pytest

from pmip_tw.addresses import ipv4, prefix
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.mobility.tunnels import AnchorKey, Broadcasts
from pmip_tw.wire.extensions import VENDOR, simple
from pmip_tw.wire.host_configuration import HostConfiguration, Item, host_configuration_request
from pmip_tw.wire.registration import BROADCASTS, COLOCATED, REVERSE_TUNNEL, RegistrationReply
from tests.conformance import covers
from tests.lma.anchor import FIRST_ADDRESS, Anchor, reply_in

GATEWAY, DNS = ipv4("10.1.0.6"), (ipv4("10.9.0.53"), ipv4("10.9.0.54"))
EVERYTHING = HostConfiguration(prefix_length=29, gateway=GATEWAY, name_servers=DNS)


def anchor(**policy: object) -> Anchor:
    pool = AddressPool(prefix("10.1.0.0/29"), gateway=GATEWAY, name_servers=DNS)
    return Anchor(pools=Pools([(pool, [])]), **policy)


def told(reply: RegistrationReply) -> HostConfiguration | None:
    return HostConfiguration.told(reply.unknown)


class TestHostConfiguration:
    @covers("P70")
    def test_everything_that_the_pool_has(self) -> None:
        reply = anchor().accept(unknown=(host_configuration_request(),))
        assert told(reply) == EVERYTHING
        assert len(reply.unknown) == 3  # the request itself is not echoed

    @covers("P70")
    def test_only_what_was_asked_for(self) -> None:
        reply = anchor().accept(unknown=(host_configuration_request(Item.GATEWAY),))
        assert told(reply) == HostConfiguration(gateway=GATEWAY)

    @covers("P70")
    def test_nobody_is_told_unasked(self) -> None:
        assert anchor().accept().unknown == ()

    @covers("P70")
    def test_on_renewals_and_repeated_answers_too(self) -> None:
        here = anchor()
        here.accept()
        asked = here.datagram(unknown=(host_configuration_request(),))
        assert told(reply_in(here.hear(asked)[0], 1)) == EVERYTHING
        here.clock.advance(2)
        assert told(reply_in(here.hear(asked)[0], 1)) == EVERYTHING

    @covers("P70")
    def test_the_first_host_is_the_gateway_unless_said_otherwise(self) -> None:
        reply = Anchor().accept(unknown=(host_configuration_request(),))
        assert told(reply) == HostConfiguration(prefix_length=29, gateway=ipv4("10.1.0.1"))

    @covers("P70")
    def test_the_gateway_is_nobodys_home_address(self) -> None:
        here = anchor()
        here.deny(129, home_address=GATEWAY)
        here.accept(home_address=ipv4("10.1.0.1"))

    @covers("P70")
    def test_refusals_and_deregistrations_tell_nothing(self) -> None:
        here = anchor()
        wish = (host_configuration_request(),)
        assert here.ask(flags=COLOCATED, unknown=wish).unknown == ()
        here.accept(unknown=wish)
        assert here.release(unknown=wish).unknown == ()

    @covers("P70")
    def test_only_what_an_authenticator_covers_is_asked(self) -> None:
        assert anchor().accept(trailing=(host_configuration_request(),)).unknown == ()

    @covers("E2")
    def test_other_vendors_are_skipped(self) -> None:
        stranger = simple(VENDOR, bytes(2) + (9).to_bytes(4, "big") + (15).to_bytes(2, "big") + bytes(4))
        assert anchor().accept(unknown=(stranger,)).unknown == ()


class TestBroadcasts:
    B = REVERSE_TUNNEL | BROADCASTS

    @covers("HL4", "P68", "P69")
    @pytest.mark.parametrize(("d", "way"), [(COLOCATED, Broadcasts.DIRECT), (0, Broadcasts.WRAPPED)])
    def test_for_who_asks(self, d: int, way: Broadcasts) -> None:
        here = anchor(tunnel_broadcast=True)
        here.accept(flags=self.B | d)
        entry = here.installed[AnchorKey(FIRST_ADDRESS - 1)]
        assert (entry.broadcasts, entry.prefix) == (way, prefix("10.1.0.0/29"))

    @covers("HL4", "P68")
    def test_not_for_who_does_not(self) -> None:
        here = Anchor(tunnel_broadcast=True)
        here.accept(flags=REVERSE_TUNNEL | COLOCATED)
        assert here.installed[AnchorKey(FIRST_ADDRESS)].broadcasts is Broadcasts.NONE

    @covers("H11", "P68")
    def test_where_it_is_off_the_bit_is_no_reason_to_refuse(self) -> None:
        here = Anchor()
        here.accept(flags=self.B | COLOCATED)
        entry = here.installed[AnchorKey(FIRST_ADDRESS)]
        assert (entry.broadcasts, entry.prefix) == (Broadcasts.NONE, None)

    @covers("P68")
    def test_a_renewal_may_end_it(self) -> None:
        here = Anchor(tunnel_broadcast=True)
        here.accept(flags=self.B | COLOCATED)
        here.accept(flags=REVERSE_TUNNEL | COLOCATED)
        assert here.installed[AnchorKey(FIRST_ADDRESS)].broadcasts is Broadcasts.NONE


class TestCauses:
    def test_as_text_if_they_may_be_told(self) -> None:
        reply = Anchor(explain_refusals=True).ask(home_address=ipv4("172.16.0.1"))
        assert reply.message is not None
        assert "172.16.0.1 is in no pool" in reply.message.shown

    def test_not_otherwise(self) -> None:
        assert Anchor().ask(home_address=ipv4("172.16.0.1")).message is None

    def test_however_long(self) -> None:
        """A NAI is part of some causes, and may be long."""
        pools = Pools([(AddressPool(prefix("10.1.0.0/29")), ["r" * 200, "s" * 200])])
        reply = Anchor(pools=pools, explain_refusals=True).ask()
        assert reply.code == 130 and reply.message is not None
        assert len(reply.message.text) == 254

    @covers("H4")
    def test_a_stranger_is_told_nothing(self) -> None:
        here = Anchor(explain_refusals=True)
        forged = bytearray(here.datagram())
        forged[-1] ^= 1
        assert RegistrationReply.decode(here.hear(bytes(forged))[0].datagram).message is None


@covers("P12", "P25")
def test_identifiers_stay_with_the_binding() -> None:
    here = Anchor()
    identifiers = ((1, b"port 1"), (2, b"\1" + bytes(6)), (3, b"\1001011234567890"))
    reply = here.accept(identifiers=identifiers, access_technology=2)
    binding = here.binding()
    assert binding is not None
    assert (binding.terms.identifiers, binding.terms.access_technology) == (identifiers, 2)
    assert (reply.identifiers, reply.access_technology, reply.unknown) == ((), None, ())
