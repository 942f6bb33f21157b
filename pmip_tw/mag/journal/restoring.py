"""After a restart: from the journal's rows to the visitors whose registrations are not over (docs/decisions/0013).

Nobody is asked and nothing is sent: a node goes on with the address, the tunnel and the lease that it has. Whether it
is still here is found out when its renewal is due, as of any node that is silent: it may have moved away (P15).
"""

from collections.abc import Callable, Container, Iterable, Sequence

import attrs

from pmip_tw.aaa.accounting.records import new_id
from pmip_tw.aaa.examined import Examined
from pmip_tw.aaa.profiles.profile import Profile, RootKey
from pmip_tw.addresses import Ipv4
from pmip_tw.mag import observed
from pmip_tw.mag.addressing.answers import Addressing
from pmip_tw.mag.authentication.access_policy import PortAuthentication
from pmip_tw.mag.authentication.admissions import Admission, Admissions
from pmip_tw.mag.authentication.admitting import ACCESS_POINT
from pmip_tw.mag.authentication.mac_authentication import MAC
from pmip_tw.mag.authentication.reauthorizing import POSTPONED
from pmip_tw.mag.effects import MagEffect, Save, Serve
from pmip_tw.mag.journal.recording import mn_ha_of
from pmip_tw.mag.journal.records import Admitted, Buried, Departed, Visiting, Withdrawn, shifted
from pmip_tw.mag.links import HomeLinks
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.registration.anew import Anew
from pmip_tw.mag.registration.care_of import CareOf
from pmip_tw.mag.registration.clocks import Identifications
from pmip_tw.mag.registration.exchanges import Grant
from pmip_tw.mag.registration.lmas import Lmas
from pmip_tw.mag.registration.protection import Protection
from pmip_tw.mag.registration.spreading import spread
from pmip_tw.mag.session.allowing import Allowing
from pmip_tw.mag.session.revoked import Revocations
from pmip_tw.mag.uplink import HeldFrames, Store
from pmip_tw.mag.visitors import EAP, NEVER, Place, State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.mn_aaa import AaaAssociation
from pmip_tw.mobility.records import Record
from pmip_tw.mobility.tunnels import AccessKey, Encapsulation, Tunnel

Rows = Iterable[tuple[float, Sequence[Record]]]
"""See IBindingStore.load."""


class Newest:
    """The last word about everything that ``rows`` tell of, and that is not over: each list has the newest first."""

    def __init__(self, rows: Rows, monotonic: float) -> None:
        self.visiting: list[Visiting] = []
        self.buried: list[Buried] = []
        self.admitted: list[Admitted] = []
        self._monotonic = monotonic
        # What newer records have told about already. A name or a place that a newer visitor has is another's now.
        self._told: set[object] = set()
        for shift, records in rows:
            for record in reversed(records):
                self._take(shifted(record, shift) if shift else record)

    def _take(self, record: Record) -> None:
        if isinstance(record, Admitted | Withdrawn):
            self._take_admission(record)
        elif isinstance(record, Visiting):
            taken = (record.mac, record.nai, Place.of(_tunnel(record), record.home_address))
            if record.deadline > self._monotonic and self._told.isdisjoint(taken):
                self.visiting.append(record)
                self._told.update(taken)
            self._told.add(record.mac)
        elif isinstance(record, Departed):
            self._told.add(record.mac)
        elif isinstance(record, Buried) and record.deadline > self._monotonic:
            stone = (record.home_agent, record.home_address, record.nai)
            if stone not in self._told:
                self.buried.append(record)
                self._told.add(stone)

    def _take_admission(self, record: Admitted | Withdrawn) -> None:
        if record.thing not in self._told:
            self._told.add(record.thing)
            if isinstance(record, Admitted) and record.deadline > self._monotonic:
                self.admitted.append(record)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Restorer:
    """Used once, before anything is heard.

    ``held``: where visitors keep frames; ``schedule``: to be called with every one that comes back.
    """

    _policy: MagPolicy
    _care_of: CareOf
    _visitors: VisitorList
    _links: HomeLinks
    _addressing: Addressing
    _admissions: Admissions
    _allowing: Allowing
    _clocks: Identifications
    _lmas: Lmas
    _revocations: Revocations
    _anew: Anew
    _held: Store
    _schedule: Callable[[Visitor], None]

    def restore(self, rows: Rows, now: Now, going_on: Container[str] | None) -> list[MagEffect]:
        """Every visitor that may be served on is one again; its entry comes with a Serve.

        ``going_on``: the sessions of which AAA has not heard the end; None: it hears of none.
        """
        newest = Newest(rows, now.monotonic)
        for stone in newest.buried:
            self._revocations.recall(stone, now.monotonic)
        for admitted in sorted(newest.admitted, key=lambda record: record.deadline):
            self._readmit(admitted)
        effects: list[MagEffect] = []
        # The oldest first: the newest word about an LMA or a link is the one that stays.
        for record in reversed(newest.visiting):
            self._recall(record)
            effects += self._return(record, now, going_on)
        self._look_for_them(now)
        return [*effects, observed.restored(len(self._visitors))] if effects else []

    def _readmit(self, record: Admitted) -> None:
        """Unless nobody is served so any more: its access point has to have it examined then."""
        profile = _profile(record)
        objection = self._policy.access.objection(record.port, record.examined)
        objection = objection or self._allowing.objection(profile.filter_ids)
        if self._admissions.counts_at(record.port) and not objection:
            admission = Admission(profile=profile, examined=record.examined, until=record.ends_at)
            self._admissions.recall(AccessKey(record.port, record.mac), admission, record.deadline)

    def _recall(self, record: Visiting) -> None:
        self._clocks.recall(record.nai, record.lma, record.identification, record.clock_offset)
        self._lmas.gave(record.lma, _tunnel(record), record.accepted_at)
        if record.home_link is not None:
            length, gateway, *name_servers = record.home_link
            self._links.recall(record.home_address, length, Ipv4(gateway), tuple(map(Ipv4, name_servers)))

    def _return(self, record: Visiting, now: Now, going_on: Container[str] | None) -> list[MagEffect]:
        profile = _profile(record)
        protection = self._lmas.protection(record.lma, profile)
        objection = self._unproven(record) or self._allowing.objection(profile.filter_ids)
        if isinstance(protection, str) or objection:
            cause = protection if isinstance(protection, str) else objection
            note = observed.not_restored(record.nai, AccessKey(record.port, record.mac), cause)
            return [note, Save((Departed(mac=record.mac, nai=record.nai, deadline=record.deadline),))]
        visitor = Visitor(
            key=AccessKey(record.port, record.mac),
            since=record.accepted_at,
            hint=record.home_address,
            state=State.REGISTERED,
            profile=profile,
            method=record.method,
            identity=record.eap_identity,
            examined=_examined(record),
            reauthorize_at=self._asked_again_at(record, now),
            lma=record.lma,
            configured=True,
            home_address=record.home_address,
            tunnel=_tunnel(record),
            grant=_grant(record, protection),
            heard_at=NEVER,
            recorded_until=record.deadline,
            accounting_id=_accounting_id(record, now, going_on),
            session_ends=record.session_ends,
            lease_ends=record.lease_ends,
            lease_cause=record.lease_cause,
            shows_dhcp=self._addressing.shows_dhcp,
            frames=HeldFrames(self._held),
        )
        self._allowing.allow(visitor, profile, now)
        self._visitors.add(visitor)
        self._visitors.identified(visitor)
        if record.care_of_address == self._care_of.address:
            return self._serve(visitor, now)
        # Our address was changed meanwhile (P82): the LMA may still revoke what has the former one (RV37).
        buried = self._revocations.bury(visitor, now.monotonic)
        visitor.lose_registration()
        visitor.wait(0.0, now.monotonic)
        return [Save(buried), observed.visitor_event("visitor-restored", visitor)]

    def _unproven(self, record: Visiting) -> str:
        """Why what it has proven does not count where it is, as things are today; "": it does (X1)."""
        how = self._policy.access.of(record.port)
        if _counts(record.method, how):
            return self._policy.access.objection(record.port, record.examined)
        return f'{record.port} has authentication = "{how.value}" now, and it came by "{record.method}"'

    def _asked_again_at(self, record: Visiting, now: Now) -> float | None:
        """When it was to be, or sooner if today's period says so (X6)."""
        at, period = record.reauthorize_at, self._policy.access.dot1x.reauth_period
        if period and record.method.startswith(EAP):
            latest = now.monotonic + period
            at = latest if at is None else min(at, latest)
        if at is None or at > now.monotonic:
            return at
        return now.monotonic + POSTPONED * now.random_fraction()  # many may have become due meanwhile

    def _serve(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        assert visitor.tunnel is not None
        self._visitors.place(visitor, Place.of(visitor.tunnel, visitor.home_address))
        self._anew.came_back(visitor, now)
        entry = visitor.entry(upstream=True, broadcasts_on=self._links.broadcasts_of(visitor.home_address))
        assert entry is not None
        return [Serve(entry, (observed.registered(visitor, "visitor-restored"),))]

    def _look_for_them(self, now: Now) -> None:
        """Whose renewal became due meanwhile is not asked about in one moment with all others, who ends first first."""
        late = [visitor for visitor in self._visitors if visitor.grant is None or _is_late(visitor, now)]
        late.sort(key=_ends_at)
        for visitor, instant in zip(late, spread(len(late), now), strict=True):
            visitor.check_at = instant
        for visitor in self._visitors:
            self._schedule(visitor)


def _accounting_id(record: Visiting, now: Now, going_on: Container[str] | None) -> str:
    """AAA may have heard a Stop of which the journal did not hear any more: that session does not begin anew."""
    former = record.accounting_id
    if former and (going_on is None or former in going_on):
        return former
    return new_id(str(AccessKey(record.port, record.mac)), now)


def _counts(method: str, how: PortAuthentication) -> bool:
    """Whether ``method`` is one by which nodes are served where ``how`` is."""
    if how is PortAuthentication.RADIUS_PROXY:
        return method == ACCESS_POINT
    if method == MAC:
        return how is not PortAuthentication.DOT1X
    return how.by_eap and method.startswith(EAP)


def _examined(record: Visiting) -> Examined | None:
    """An older version did not say how: then nobody takes it away whose MAC alone is known."""
    return record.examined or (Examined() if record.method == ACCESS_POINT else None)


def _is_late(visitor: Visitor, now: Now) -> bool:
    return visitor.grant is not None and visitor.grant.renew_at <= now.monotonic


def _ends_at(visitor: Visitor) -> float:
    """Who has no registration cannot wait at all."""
    return NEVER if visitor.grant is None else visitor.grant.ends_at


def _profile(record: Visiting | Admitted) -> Profile:
    more = record.authorized
    classes = more.classes
    if not classes and isinstance(record, Visiting) and record.attributes_class:
        classes = (record.attributes_class,)
    return Profile(
        nai=record.nai,
        lmas=record.lmas,
        mn_ha=mn_ha_of(record),
        mn_aaa=None if record.mn_aaa is None else AaaAssociation(*record.mn_aaa),
        home_address=record.profile_home_address,
        session_timeout=record.session_timeout,
        framed_pool=record.framed_pool,
        classes=classes,
        fa_rk=None if more.fa_rk is None else RootKey(*more.fa_rk),
        dhcp_server=more.dhcp_server,
        name_servers=more.name_servers,
        lifetime=more.lifetime,
        idle_timeout=more.idle_timeout,
        interim_interval=more.interim_interval,
        reauthenticate=more.reauthenticate,
        filter_ids=more.filter_ids,
        chargeable_identity=more.chargeable_identity,
        aaa_session_id=more.aaa_session_id,
        correlation_id=more.correlation_id,
    )


def _grant(record: Visiting, protection: Protection) -> Grant:
    return Grant(
        lifetime=record.lifetime,
        ends_at=record.deadline,
        renew_at=record.renew_at,
        accepted_at=record.accepted_at,
        care_of_address=record.care_of_address,
        protection=protection,
        lma_timestamp=record.lma_timestamp,
        inform=record.inform,
        keepalive_interval=record.keepalive_interval,
    )


def _tunnel(record: Visiting) -> Tunnel:
    return Tunnel(
        local=record.care_of_address,
        remote=record.remote,
        encapsulation=Encapsulation(record.encapsulation),
        remote_port=record.remote_port,
        key_in=record.key_in,
        key_out=record.key_out,
    )
