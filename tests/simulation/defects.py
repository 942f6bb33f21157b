"""Defects: each breaks one rule of the product, for a test that wants to see a promise broken."""

from collections.abc import Callable

import attrs
import pytest
from msgspec.structs import replace

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.addresses import Ipv4
from pmip_tw.agents.keeping import Keeping
from pmip_tw.agents.saving import Saving
from pmip_tw.dhcp import server
from pmip_tw.dhcp.questions import Answer
from pmip_tw.forwarding.access_switch import AccessSwitch
from pmip_tw.forwarding.anchor_switch import AnchorSwitch
from pmip_tw.lma import observed as lma_observed
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.bindings import BindingTable
from pmip_tw.lma.journal.restoring import Restorer
from pmip_tw.lma.registration import admission, intake, registrations
from pmip_tw.lma.revocation.revoking import Revoker
from pmip_tw.mag.addressing.answers import Told
from pmip_tw.mag.addressing.dhcp_first import DhcpFirst
from pmip_tw.mag.addressing.pretunnel import PreTunnels
from pmip_tw.mag.journal.records import Departed
from pmip_tw.mag.journal.restoring import Newest
from pmip_tw.mag.journal.restoring import Restorer as MagRestorer
from pmip_tw.mag.presence import Presence
from pmip_tw.mag.registration import accepting, registering, waiting
from pmip_tw.mag.registration.clocks import Identifications
from pmip_tw.mag.session import departures
from pmip_tw.mag.tunnels.keepalives import Keepalives
from pmip_tw.mag.visitors import Visitor
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.replay import RefusedAhead, TimestampWindow


@attrs.frozen(slots=True)
class Defect:
    """``plant`` breaks the product, so that ``promise`` is not kept in ``profile``, from the seed ``first`` on."""

    plant: Callable[[pytest.MonkeyPatch], None]
    promise: str
    profile: str = attrs.field(default="general", kw_only=True)
    first: int = attrs.field(default=0, kw_only=True)


def replays_are_accepted(patch: pytest.MonkeyPatch) -> None:
    """I6 without its second half."""
    admits = TimestampWindow.admits
    patch.setattr(
        TimestampWindow,
        "admits",
        lambda self, identification, last, wall: admits(self, identification, None, wall),
    )


def returning_does_not_cancel(patch: pytest.MonkeyPatch) -> None:
    """RV26: the LMA goes on revoking a stay although the node is back."""
    patch.setattr(Revoker, "cancel", lambda self, owner, place: None)


def entries_are_left(patch: pytest.MonkeyPatch) -> None:
    """P51: a MAG that forgets a visitor and not its entry."""
    forget = departures.Departures.forget
    patch.setattr(
        departures.Departures,
        "forget",
        lambda self, visitor, name, **why: forget(self, visitor, name, **why)[1:],
    )


def addresses_are_not_held(patch: pytest.MonkeyPatch) -> None:
    """P80: what somebody has given back is given away first."""
    fresh = AddressPool.fresh
    patch.setattr(AddressPool, "fresh", lambda pool: pool.oldest() or fresh(pool))


def lifetimes_count_from_the_reply(patch: pytest.MonkeyPatch) -> None:
    """M5, badly."""
    grant_of = accepting.grant_of

    def later(*arguments, **more):
        grant = grant_of(*arguments, **more)
        return attrs.evolve(grant, ends_at=grant.ends_at + 5)

    patch.setattr(accepting, "grant_of", later)


def requests_are_sent_once(patch: pytest.MonkeyPatch) -> None:
    """M8: what got no answer gets none."""
    patch.setattr(registering.Registrations, "_unanswered", lambda self, visitor, exchange, now: [])


def discards_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(intake.Intake, "_duplicate", lambda *arguments: [])


def what_was_refused_for_being_ahead_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """I8, I10."""
    patch.setattr(RefusedAhead, "note", lambda *arguments: None)


def offsets_stay_when_clocks_are_set_right(patch: pytest.MonkeyPatch) -> None:
    """I9: whatever the LMA says while our own clock agrees with it."""
    resynchronize = Identifications.resynchronize

    def stubborn(self, nai, lma, reply_identification, wall):
        offset = self.offset(lma)
        ahead = resynchronize(self, nai, lma, reply_identification, wall)
        if offset and not self.offset(lma):
            self._offsets[lma] = offset
        return ahead

    patch.setattr(Identifications, "resynchronize", stubborn)


def timestamps_of_registrations_are_the_time(patch: pytest.MonkeyPatch) -> None:
    """RV6: also where later identifiers were used in revocations."""
    patch.setattr(Revoker, "timestamp_for", lambda self, home_address, peer, now: int(now.wall) - 1)


def moves_are_not_limited(patch: pytest.MonkeyPatch) -> None:
    """P79."""
    patch.setattr(admission, "too_soon", lambda *arguments: None)


def who_is_silent_with_its_lma_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """P15: without a question whether it is there."""
    patch.setattr(
        waiting.Waiting,
        "expired",
        lambda self, visitor, now: self._departures.forget(
            visitor, "registration-expired", terminate_cause=TerminateCause.LOST_SERVICE
        ),
    )


def bindings_do_not_end(patch: pytest.MonkeyPatch) -> None:
    """L6: a binding whose time is over is overlooked."""
    expired = BindingTable.expired

    def overlooked(self, monotonic):
        expired(self, monotonic)
        return []

    patch.setattr(BindingTable, "expired", overlooked)


def everybody_gets_the_first_address(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AddressPool, "fresh", lambda pool: Ipv4(pool.link.gateway + 1))


def any_mag_ends_a_binding(patch: pytest.MonkeyPatch) -> None:
    """P37: the de-registration of a MAG where the node was."""
    patch.setattr(registrations, "_serves", lambda binding, asked: True)


def nothing_comes_out_of_tunnels(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AccessSwitch, "packet_arrived", lambda self, ends, inner: None)


def sources_are_not_checked(patch: pytest.MonkeyPatch) -> None:
    """P48, where the LMA cannot tell: both nodes are behind one tunnel."""
    upstream = AccessSwitch.upstream

    def credulous(self, port, frame):
        session = self._by_port[port].get(frame[6:12])
        if session is None or frame[12:14] != b"\x08\x00":
            return upstream(self, port, frame)
        home, session.home = session.home, frame[26:30]
        try:
            upstream(self, port, frame)
        finally:
            session.home = home

    patch.setattr(AccessSwitch, "upstream", credulous)


def packets_find_their_node_by_address_alone(patch: pytest.MonkeyPatch) -> None:
    """P44, P45."""
    packet_arrived = AccessSwitch.packet_arrived

    def heedless(self, ends, inner):
        same = (other for other, home in self._by_tunnel if home == inner[16:20])
        packet_arrived(self, next(same, ends), inner)

    patch.setattr(AccessSwitch, "packet_arrived", heedless)


def whoever_was_there_is_there(patch: pytest.MonkeyPatch) -> None:
    """P15: a node that fell silent is not missed."""
    patch.setattr(registering, "presence", lambda *arguments: Presence.THERE)


def dhcp_grants_what_is_asked_for(patch: pytest.MonkeyPatch) -> None:
    """D23: whatever address the LMA has given."""
    answer = server.answer

    def obliging(message, home_address, link, lease):
        asked = message.requested_address or message.ciaddr
        return answer(message, asked or home_address, link, lease)

    patch.setattr(server, "answer", obliging)


def acks_are_not_held(patch: pytest.MonkeyPatch) -> None:
    """N54."""
    leased = DhcpFirst._leased

    def told_at_once(self: DhcpFirst, visitor: Visitor, lease: Answer, now: Now) -> Told:
        told = leased(self, visitor, lease, now)
        return attrs.evolve(told, effects=[*self._deliver(visitor, lease.message), *told.effects])

    patch.setattr(DhcpFirst, "_leased", told_at_once)


def tunnels_for_dhcp_are_not_closed(patch: pytest.MonkeyPatch) -> None:
    """N55."""
    patch.setattr(PreTunnels, "_close", lambda self, found: [])


def dhcp_tells_another_address(patch: pytest.MonkeyPatch) -> None:
    """D23."""
    answer = server.answer
    patch.setattr(
        server,
        "answer",
        lambda message, home_address, link, lease: answer(message, Ipv4(home_address + 1), link, lease),
    )


def nobody_notices_a_lost_mapping(patch: pytest.MonkeyPatch) -> None:
    """N40 and N59: keepalives are sent, and what their silence means is forgotten."""
    patch.setattr(Keepalives, "_lost", lambda self, path, watched, asked, monotonic: None)


def any_number_of_bindings(patch: pytest.MonkeyPatch) -> None:
    """L3."""
    patch.setattr(admission, "too_many", lambda *arguments: None)


def copies_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    """L3: the packets for a host that is at several places go to the newest one."""
    acquire = AnchorSwitch._acquire
    patch.setattr(AnchorSwitch, "_acquire", lambda self, entry: acquire(self, replace(entry, copies=())))


def an_end_is_a_defect(patch: pytest.MonkeyPatch) -> None:
    def raises(*arguments):
        raise RuntimeError("nobody has tried this")

    patch.setattr(lma_observed, "expired", raises)


def answers_do_not_wait_for_the_disk(patch: pytest.MonkeyPatch) -> None:
    """What is decided is carried out and said at once."""

    def hasty(self, commit):
        self._records += commit.saves()
        self._saved([commit], [])

    patch.setattr(Saving, "commit", hasty)


def revocations_do_not_wait_for_the_disk(patch: pytest.MonkeyPatch) -> None:
    """An end by the operator is said at once."""
    save = Saving.save

    def hasty(self, effect):
        save(self, replace(effect, then=None))
        if effect.then is not None:
            self._saved([], [effect.then])

    patch.setattr(Saving, "save", hasty)


def a_restart_forgets(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Restorer, "restore", lambda self, rows, now: [])


def leases_do_not_wait_for_the_disk(patch: pytest.MonkeyPatch) -> None:
    """D23: at a MAG."""
    save = Keeping.save

    def hasty(self, saved):
        self._carry_on(saved.then)
        save(self, attrs.evolve(saved, then=()))

    patch.setattr(Keeping, "save", hasty)


def a_mag_forgets(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MagRestorer, "restore", lambda self, rows, now, going_on: [])


def who_has_left_is_not_written_off(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(departures, "departed", lambda visitor: ())


def who_has_left_is_not_read(patch: pytest.MonkeyPatch) -> None:
    take = Newest._take
    patch.setattr(
        Newest,
        "_take",
        lambda self, record: None if isinstance(record, Departed) else take(self, record),
    )


DEFECTS = (
    Defect(replays_are_accepted, "nothing unauthentic changes state"),
    Defect(returning_does_not_cancel, "only what is over is revoked"),
    Defect(entries_are_left, "entries are live state"),
    Defect(lifetimes_count_from_the_reply, "a registration ends before its binding"),
    Defect(requests_are_sent_once, "it comes to rest"),
    Defect(discards_are_not_counted, "counters add up"),
    Defect(addresses_are_not_held, "an address is configured once", profile="short-of-addresses"),
    Defect(
        what_was_refused_for_being_ahead_is_forgotten,
        "nothing unauthentic changes state",
        profile="clocks-ahead",
    ),
    Defect(moves_are_not_limited, "a node moves once in a while", profile="same-mac"),
    Defect(offsets_stay_when_clocks_are_set_right, "who is there is served", profile="clock-steps"),
    Defect(who_is_silent_with_its_lma_is_forgotten, "who is there is served", profile="outages"),
    # Rare: a retransmission must be on its way while the node returns.
    Defect(
        timestamps_of_registrations_are_the_time,
        "only what is over is revoked",
        profile="quick-returns",
        first=600,
    ),
    Defect(bindings_do_not_end, "nothing outlives its lifetime"),
    Defect(everybody_gets_the_first_address, "an address is one node's"),
    Defect(any_mag_ends_a_binding, "a registration has a binding"),
    Defect(nothing_comes_out_of_tunnels, "packets flow"),
    Defect(sources_are_not_checked, "nobody speaks for another"),
    Defect(packets_find_their_node_by_address_alone, "nobody hears another's packets", profile="two-lmas"),
    Defect(
        packets_find_their_node_by_address_alone, "nobody hears another's packets", profile="address-spaces"
    ),
    Defect(whoever_was_there_is_there, "everything ends"),
    Defect(whoever_was_there_is_there, "one MAG serves a node"),
    # Rare: an address must be another's meanwhile, and asked for once more.
    Defect(
        dhcp_grants_what_is_asked_for,
        "who is there has its address",
        profile="short-of-addresses",
        first=225,
    ),
    Defect(dhcp_tells_another_address, "only the LMA gives addresses"),
    Defect(tunnels_for_dhcp_are_not_closed, "everything ends", profile="tunnel"),
    Defect(acks_are_not_held, "what is answered is durable", profile="tunnel"),
    Defect(nobody_notices_a_lost_mapping, "a NAT may be restarted", profile="nats"),
    Defect(any_number_of_bindings, "not too many bindings", profile="simultaneous"),
    Defect(copies_are_forgotten, "packets flow", profile="simultaneous"),
    Defect(an_end_is_a_defect, "no defect"),
    Defect(answers_do_not_wait_for_the_disk, "what is answered is durable"),
    Defect(
        revocations_do_not_wait_for_the_disk, "only what is over is revoked", profile="upkeep", first=15232
    ),
    Defect(a_restart_forgets, "what was promised survives", profile="disks"),
    Defect(leases_do_not_wait_for_the_disk, "what is answered is durable"),
    Defect(a_mag_forgets, "what was promised survives", profile="crashes"),
    Defect(who_has_left_is_not_written_off, "a registration has a binding", profile="crashes"),
    Defect(who_has_left_is_not_read, "who has left does not come back", profile="crashes"),
)
