"""Renewals that nobody reads as a whole: they get what reading them would get."""

from typing import Any

import pytest

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma.mags import KnownMag
from pmip_tw.lma.registration.commitment import Commit
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelRequest
from pmip_tw.wire.registration import (
    BROADCASTS,
    COLOCATED,
    GRE,
    REVERSE_TUNNEL,
    SIMULTANEOUS,
    RegistrationReply,
    RegistrationRequest,
)
from tests.conformance import covers
from tests.lma.anchor import FIRST_ADDRESS, LMA, MAG1, MAG2, NAT, Anchor, association, reply_in, revocations

KEY = SecurityAssociation(0x2000, Secret(b"key of the first MAG"))
SUPPORT = RevocationSupport(5)


def settled(**settings: Any) -> Anchor:
    """Node 1 is registered: its next request is known by its octets."""
    anchor = Anchor(**settings)
    anchor.accept(1, MAG1, revocation=SUPPORT)
    return anchor


def is_followed(anchor: Anchor, payload: bytes, source=MAG1, port: int = 434, local=LMA) -> bool:
    """Whether a request is taken for a renewal before anybody has read it; it is carried out then."""
    decided = anchor.engine.recognize(payload, Endpoint(source, port), local, anchor.clock.now())
    if not isinstance(decided, Commit) or not decided.renews:
        return False
    anchor._run([decided])
    return True


def renewal(anchor: Anchor, **fields: Any) -> bytes:
    return anchor.datagram(1, MAG1, **({"home_address": FIRST_ADDRESS, "revocation": SUPPORT} | fields))


def forged(payload: bytes) -> bytes:
    return payload[:-1] + bytes((payload[-1] ^ 1,))


class TestFollowed:
    def test_the_same_again(self) -> None:
        """With the home address that it has, or any."""
        anchor = settled()
        for home_address in (FIRST_ADDRESS, Ipv4(0), FIRST_ADDRESS):
            assert is_followed(anchor, renewal(anchor, home_address=home_address))

    @pytest.mark.parametrize("revocable", [False, True])
    @pytest.mark.parametrize("settings", [{}, {"max_bindings": 3}, {"tunnel_broadcast": True}])
    @pytest.mark.parametrize("source", [None, MAG1, NAT])
    def test_it_gets_what_reading_it_would_get(
        self,
        monkeypatch: pytest.MonkeyPatch,
        revocable: bool,
        settings: dict[str, Any],
        source: Ipv4 | None,
    ) -> None:
        """Reply, binding, observations, journal and packet plane are the same, octet by octet.

        ``source``: where a MAG that offers UDP tunnelling is seen; None: it does not offer it.
        """
        outcomes = []
        for follows in (True, False):
            anchor = Anchor(**settings)
            fields: dict[str, Any] = {"revocation": RevocationSupport(9, inform=True) if revocable else None}
            if source is not None:
                fields |= {"udp_tunnel": UdpTunnelRequest(), "source": source}
            anchor.accept(1, MAG1, **fields)
            anchor.accept(1, MAG1, home_address=FIRST_ADDRESS, **fields)
            if not follows:
                monkeypatch.setattr(anchor.engine, "recognize", lambda *arguments: None)
            for _ in range(3):
                anchor.clock.advance(10)
                anchor.accept(1, MAG1, home_address=FIRST_ADDRESS, **fields)
            assert len(anchor.installed) == 1
            outcomes.append(([*anchor.sent], [*anchor.notes], anchor.state(), [*anchor.journal]))
            asked = {name: value for name, value in fields.items() if name != "source"}
            assert is_followed(anchor, renewal(anchor, **asked), source or MAG1) is follows
        assert outcomes[0] == outcomes[1]

    @covers("RV6", "RV7")
    def test_timestamps_are_those_of_the_last_one(self) -> None:
        anchor = settled()
        anchor.clock.advance(50)
        payload = renewal(anchor, revocation=RevocationSupport(55))
        reply = reply_in(anchor.hear(payload)[0], 1)
        binding = anchor.binding()
        assert binding is not None and binding.revocation is not None and reply.revocation is not None
        assert binding.revocation.peer_timestamp == 55
        assert binding.revocation.own_timestamp == reply.revocation.timestamp == int(anchor.clock.wall)

    def test_one_that_cannot_be_saved(self) -> None:
        anchor = settled()
        before = anchor.state()
        anchor.slow = True
        anchor.hear(renewal(anchor))
        [answer] = anchor.lose("the disk is full")
        assert reply_in(answer, 1).code == 130 and anchor.state() == before

    def test_that_stands_in_the_place_of_a_move(self) -> None:
        """Both are durable at once: what the move asked of the packet plane is done for the renewal."""
        anchor = settled(handover_min_interval=0.0)
        fields = {"home_address": FIRST_ADDRESS, "revocation": SUPPORT}
        anchor.accept(1, MAG2, **fields)
        anchor.slow = True
        anchor.hear(anchor.datagram(1, MAG1, **fields))
        anchor.hear(anchor.datagram(1, MAG1, **fields))
        sent = anchor.flush()
        assert [entry.tunnel.remote for entry in anchor.installed.values()] == [MAG1]
        assert [reply_in(answer, 1).code for answer in sent if answer.datagram[0] == 3] == [1]


class TestForged:
    """H4: renewals but for the authenticator are not read. They get what reading them would get."""

    @covers("H4")
    def test_they_get_what_reading_them_would_get(self, monkeypatch: pytest.MonkeyPatch) -> None:
        outcomes = []
        for follows in (True, False):
            anchor = settled()
            before = anchor.state()
            payloads = [forged(renewal(anchor)) for _ in range(3)]
            decided = anchor.engine.recognize(payloads[0], Endpoint(MAG1, 434), LMA, anchor.clock.now())
            assert isinstance(decided, list)
            anchor.clock.advance(2)
            if not follows:
                monkeypatch.setattr(anchor.engine, "recognize", lambda *arguments: None)
            [answer] = [answer for payload in payloads for answer in anchor.hear(payload)]
            assert reply_in(answer, 1).code == 131
            assert anchor.state() == before
            outcomes.append((anchor.sent, anchor.notes, anchor.journal))
        assert outcomes[0] == outcomes[1]

    @covers("H4")
    def test_only_where_one_is_answered_it_is_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        anchor = settled()
        payloads = [forged(renewal(anchor)) for _ in range(3)]
        anchor.hear(payloads[0])
        monkeypatch.setattr(RegistrationRequest, "decode", None)
        assert anchor.hear(payloads[1]) == [] == anchor.hear(payloads[2])
        assert [note.nai for note in anchor.notes[-3:]] == ["mn1@example.net"] * 3


class TestReadAsAWhole:
    """By ``receive``, which has all the rules."""

    @pytest.mark.parametrize(
        "fields",
        [
            {"lifetime": 0},
            {"lifetime": 601},
            {"home_address": FIRST_ADDRESS + 1},
            {"flags": REVERSE_TUNNEL | COLOCATED | GRE},
            {"flags": COLOCATED},
            {"care_of_address": MAG2},
            {"revocation": None},
            {"revocation": RevocationSupport(5, inform=True)},
            {"access_technology": 3},
            {"udp_tunnel": UdpTunnelRequest()},
            {"unknown": (bytes((200, 1, 0)),)},
        ],
    )
    def test_another_request(self, fields: dict[str, Any]) -> None:
        anchor = settled()
        assert not is_followed(anchor, renewal(anchor, **fields))

    @pytest.mark.parametrize("where", [{"source": NAT}, {"port": 5434}, {"local": MAG2}])
    def test_from_or_to_elsewhere(self, where: dict[str, Any]) -> None:
        anchor = settled()
        assert not is_followed(anchor, renewal(anchor), **where)

    @covers("I6")
    @pytest.mark.parametrize("skew", [-8.0, 8.0])
    def test_outside_the_window(self, skew: float) -> None:
        anchor = settled()
        assert not is_followed(anchor, renewal(anchor, skew=skew))

    @covers("I6", "L5")
    def test_no_later_than_the_last_one(self) -> None:
        anchor = settled()
        earlier, last = renewal(anchor), renewal(anchor)
        assert is_followed(anchor, last)
        assert not is_followed(anchor, last) and not is_followed(anchor, earlier)

    @covers("I6")
    def test_no_later_than_one_that_was_refused(self) -> None:
        """I6b: the floor counts beside the binding."""
        anchor = settled()
        payload = renewal(anchor)
        anchor.deny(138, 1, MAG1, flags=COLOCATED)
        assert not is_followed(anchor, payload)
        assert is_followed(anchor, renewal(anchor))

    @covers("I8", "I10")
    def test_one_that_was_refused_for_being_ahead(self) -> None:
        anchor = settled()
        ahead = renewal(anchor, skew=9.0)
        assert reply_in(anchor.hear(ahead)[0], 1).code == 133
        anchor.clock.advance(4)
        assert not is_followed(anchor, ahead)

    def test_whose_key_is_being_changed(self) -> None:
        """By the previous key the node is answered with it, and by the new one as soon as it has that."""
        anchor = settled()
        spi = association(1).spi
        new = SecurityAssociation(spi, Secret(b"another"), previous=association(1))
        anchor.engine._intake._associations.add("mn1@example.net", new)
        assert reply_in(anchor.hear(renewal(anchor))[0], 1).code == 1
        request = anchor.request(1, MAG1, home_address=FIRST_ADDRESS, revocation=SUPPORT)
        [answer] = anchor.hear(request.encode(mn_ha=SecurityAssociation(spi, Secret(b"another"))))
        assert RegistrationReply.decode(answer.datagram).code == 1

    @pytest.mark.parametrize("mode", [AuthenticationMode.FA_HA, AuthenticationMode.PER_MN])
    def test_of_a_mag_that_is_known(self, mode: AuthenticationMode) -> None:
        """What it may do is looked at each time."""
        keys = (KEY,) if mode is AuthenticationMode.FA_HA else ()
        anchor = Anchor(mags=[KnownMag(address=MAG1, mode=mode, associations=keys)])
        for _ in range(3):
            payload = anchor.request(1, MAG1).encode(mn_ha=association(1), fa_ha=KEY if keys else None)
            assert not is_followed(anchor, payload)
            anchor.hear(payload)

    @covers("L3")
    def test_beside_others(self) -> None:
        anchor = Anchor(max_bindings=2)
        beside = {"flags": REVERSE_TUNNEL | COLOCATED | SIMULTANEOUS, "home_address": FIRST_ADDRESS}
        for mag in (MAG1, MAG2, MAG2):
            anchor.accept(1, mag, **beside)
        assert not is_followed(anchor, anchor.datagram(1, MAG2, **beside), MAG2)

    def test_over_another_technology(self) -> None:
        anchor = Anchor(by_technology=True)
        for _ in range(2):
            anchor.accept(1, MAG1, access_technology=2)
        assert not is_followed(anchor, anchor.datagram(1, MAG1, access_technology=2))

    def test_while_the_one_before_is_being_saved(self) -> None:
        anchor = settled()
        anchor.slow = True
        assert anchor.hear(renewal(anchor)) == []
        payload = renewal(anchor)
        assert not is_followed(anchor, payload) and anchor.hear(payload) == []
        assert len(anchor.flush()) == 1

    @covers("P35", "RV26")
    def test_while_a_move_within_its_tunnel_is_being_saved(self) -> None:
        """A MAG behind a NAT has another address, and the NAT does not show it: the packet plane has nothing to do.

        The move is what counts all the same: that MAG's former place is told, and what it is told next ends nothing.
        """
        anchor = Anchor(handover_min_interval=0.0)
        fields: dict[str, Any] = {"source": NAT, "udp_tunnel": UdpTunnelRequest(), "revocation": SUPPORT}
        asked = {name: value for name, value in fields.items() if name != "source"}
        for _ in range(2):
            anchor.accept(1, MAG1, **fields)
        anchor.slow = True
        for mag in (MAG2, MAG2):
            anchor.hear(anchor.datagram(1, mag, **asked), NAT)
        answer, told = anchor.flush()
        assert reply_in(answer, 1).code == 1 and anchor.notes[-2].name == "binding-moved"
        assert [one.foreign_domain for one in revocations([told])] == [MAG1]
        for mag in (MAG1, MAG1):
            anchor.hear(anchor.datagram(1, mag, **asked), NAT)
        answer, told = anchor.flush()
        assert [one.foreign_domain for one in revocations([told])] == [MAG2]
        assert [one.foreign_domain for one in revocations(anchor.pass_time(60))].count(MAG1) == 0

    def test_of_who_is_gone(self) -> None:
        anchor = settled()
        anchor.revoke(1)
        assert not is_followed(anchor, renewal(anchor))


def test_broadcasts_go_on() -> None:
    anchor = Anchor(tunnel_broadcast=True)
    flags = REVERSE_TUNNEL | COLOCATED | BROADCASTS
    for _ in range(3):
        anchor.accept(1, MAG1, flags=flags, home_address=FIRST_ADDRESS)
    binding = anchor.binding()
    assert binding is not None and binding.terms.prefix is not None
