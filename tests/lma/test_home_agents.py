"""Any home agent: who may be given this one, and who is sent to another (RFC 4433; H8, DY5-DY8)."""

import pytest

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Ipv4, ipv4, prefix
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.wire.extension_values import DynamicHomeAgent
from pmip_tw.wire.registration import REVERSE_TUNNEL, RegistrationReply
from tests.conformance import covers
from tests.lma.anchor import BLUE, FIRST_ADDRESS, LMA, MAG1, MAG2, Anchor

ANY = pytest.mark.parametrize("home_agent", [UNSPECIFIED, ALL_ONES])
HERE = DynamicHomeAgent(1, LMA)
OTHER = ipv4("192.0.2.2")


@covers("H8")
@ANY
def test_not_unless_it_is_configured(home_agent: Ipv4) -> None:
    assert "192.0.2.1" in Anchor().deny(136, home_agent=home_agent, dynamic_home_agent=HERE).cause


class TestServed:
    @covers("DY5", "DY7", "H8", "P7")
    @ANY
    @pytest.mark.parametrize("drawn", [True, False])
    def test_the_reply_says_who_we_are(self, home_agent: Ipv4, drawn: bool) -> None:
        anchor = Anchor(dynamic_home_agent=True)
        reply = anchor.accept(home_agent=home_agent, dynamic_home_agent=DynamicHomeAgent(1, LMA, drawn))
        assert (reply.home_agent, reply.home_address) == (LMA, FIRST_ADDRESS)
        assert reply.dynamic_home_agent is None

    @covers("DY6")
    @ANY
    @pytest.mark.parametrize("said", [None, DynamicHomeAgent(1, OTHER), DynamicHomeAgent(2, LMA)])
    def test_a_direct_requester_must_say_whom_it_asks(
        self, home_agent: Ipv4, said: DynamicHomeAgent | None
    ) -> None:
        anchor = Anchor(dynamic_home_agent=True)
        assert "DY6" in anchor.deny(136, home_agent=home_agent, dynamic_home_agent=said).cause
        assert RegistrationReply.decode(anchor.sent[-1].datagram).home_agent == LMA

    @covers("DY6")
    @pytest.mark.parametrize("said", [None, DynamicHomeAgent(1, OTHER)])
    def test_behind_a_foreign_agent_it_is_for_that(self, said: DynamicHomeAgent | None) -> None:
        anchor = Anchor(dynamic_home_agent=True)
        anchor.accept(flags=REVERSE_TUNNEL, home_agent=UNSPECIFIED, dynamic_home_agent=said)

    @covers("H8", "DY8")
    def test_another_one_is_still_another_one(self) -> None:
        anchor = Anchor(dynamic_home_agent=True)
        anchor.deny(136, home_agent=OTHER)
        anchor.deny(136, home_agent=OTHER, dynamic_home_agent=HERE)
        anchor.accept()

    @covers("DY5")
    def test_a_home_address_is_only_a_suggestion(self) -> None:
        anchor = Anchor(dynamic_home_agent=True)
        taken = anchor.accept(2).home_address
        any_one = {"home_agent": UNSPECIFIED, "dynamic_home_agent": HERE}
        mine = anchor.accept(1, home_address=ipv4("10.1.0.5"), **any_one).home_address
        assert mine == ipv4("10.1.0.5")
        assert anchor.accept(1, home_address=taken, **any_one).home_address == mine
        assert anchor.accept(3, home_address=taken, **any_one).home_address not in (taken, mine)

    @covers("DY9")
    def test_a_short_lifetime_is_granted_as_it_is_asked(self) -> None:
        reply = Anchor(dynamic_home_agent=True).accept(
            home_agent=UNSPECIFIED, dynamic_home_agent=HERE, lifetime=5
        )
        assert reply.lifetime == 5

    @covers("DY8", "L2")
    def test_renewed_by_name_and_ended_by_either(self) -> None:
        anchor = Anchor(dynamic_home_agent=True)
        anchor.accept(home_agent=UNSPECIFIED, dynamic_home_agent=HERE)
        anchor.accept(home_address=FIRST_ADDRESS)
        assert anchor.names() == ["binding-created", "binding-renewed"]
        anchor.release(home_agent=UNSPECIFIED, dynamic_home_agent=HERE)
        assert anchor.state() == ([], {})


class TestRedirected:
    FIELDS = {"home_agent": UNSPECIFIED, "dynamic_home_agent": HERE}

    def anchor(self, **policy: object) -> Anchor:
        return Anchor(dynamic_home_agent=True, redirects={b"blue.example": OTHER}, **policy)

    @covers("DY7")
    @pytest.mark.parametrize("drawn", [True, False])
    def test_its_realm_is_served_elsewhere(self, drawn: bool) -> None:
        """143 names the other one; the home agent of the reply is the one that refuses."""
        anchor = self.anchor(drawn_redirects=drawn)
        assert "192.0.2.2 serves the realm blue.example" in anchor.deny(143, BLUE, **self.FIELDS).cause
        reply = RegistrationReply.decode(anchor.sent[-1].datagram)
        assert reply.home_agent == LMA
        assert reply.dynamic_home_agent == DynamicHomeAgent(2, OTHER, drawn)

    @covers("DY7")
    def test_others_are_not(self) -> None:
        self.anchor().accept(1, **self.FIELDS)

    @covers("DY7", "DY8")
    def test_nor_who_asks_for_this_one(self) -> None:
        self.anchor().accept(BLUE)

    @covers("DY7")
    def test_nor_who_is_here_already(self) -> None:
        """A session is not torn down to obey a later setting."""
        anchor = self.anchor()
        anchor.accept(BLUE, MAG1)
        anchor.accept(BLUE, MAG1, **self.FIELDS)
        anchor.accept(BLUE, MAG2, **self.FIELDS)
        anchor.release(BLUE, MAG2, **self.FIELDS)
        anchor.release(BLUE, MAG2, **self.FIELDS)
        anchor.deny(143, BLUE, MAG2, **self.FIELDS)

    @covers("DY6", "DY7")
    def test_a_request_that_is_wrong_anyway_is_not_sent_on(self) -> None:
        self.anchor().deny(136, BLUE, home_agent=UNSPECIFIED)

    @covers("DY7")
    def test_whatever_this_one_could_not_do_for_it(self) -> None:
        """It need have no pool for the realm, for instance."""
        pools = Pools([(AddressPool(prefix("10.1.0.0/29")), ["example.net"])])
        self.anchor(pools=pools).deny(143, BLUE, **self.FIELDS)
