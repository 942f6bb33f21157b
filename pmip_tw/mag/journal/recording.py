"""From what a MAG knows to the records of its journal (``records.py``); keys also back."""

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.mag.authentication.admissions import Word
from pmip_tw.mag.effects import MagEffect, Promise, Save
from pmip_tw.mag.journal.records import Admitted, Authorized, Buried, Departed, Visiting, Withdrawn
from pmip_tw.mag.links import HomeLinks
from pmip_tw.mag.registration.clocks import Identifications
from pmip_tw.mag.visitors import Visitor
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.secret import Secret


class Recording:
    """Writes visitors down, as they are at the moment."""

    def __init__(self, links: HomeLinks, clocks: Identifications) -> None:
        self._links = links
        self._clocks = clocks

    def registered(self, visitor: Visitor, then: list[MagEffect]) -> Save:
        """``visitor`` is registered, or something about that has changed; ``then`` promises it to somebody."""
        record = self._visiting(visitor)
        visitor.recorded_until = record.deadline
        promise = Promise(visitor.key, visitor.home_address, tuple(then))
        return Save((record,), (promise,) if then else ())

    def _visiting(self, visitor: Visitor) -> Visiting:
        profile, grant, tunnel = visitor.profile, visitor.grant, visitor.tunnel
        assert profile is not None and grant is not None and tunnel is not None
        link = self._links.learned(visitor.home_address)
        return Visiting(
            port=visitor.key.port,
            mac=visitor.mac,
            nai=profile.nai,
            lmas=profile.lmas,
            mn_ha=_mn_ha(profile.mn_ha),
            mn_aaa=None if profile.mn_aaa is None else (profile.mn_aaa.spi, profile.mn_aaa.key),
            profile_home_address=profile.home_address,
            session_timeout=profile.session_timeout,
            attributes_class=profile.classes[0] if profile.classes else b"",
            authorized=_authorized(profile),
            method=visitor.method,
            eap_identity=visitor.identity,
            reauthorize_at=visitor.reauthorize_at,
            framed_pool=profile.framed_pool,
            session_ends=visitor.session_ends,
            home_address=visitor.home_address,
            lma=visitor.lma,
            care_of_address=grant.care_of_address,
            lifetime=grant.lifetime,
            accepted_at=grant.accepted_at,
            renew_at=grant.renew_at,
            deadline=grant.ends_at,
            lma_timestamp=grant.lma_timestamp,
            inform=grant.inform,
            remote=tunnel.remote,
            remote_port=tunnel.remote_port,
            encapsulation=tunnel.encapsulation,
            key_in=tunnel.key_in,
            key_out=tunnel.key_out,
            home_link=None if link is None else (link.prefix.length, link.gateway, *link.dns),
            lease_ends=visitor.lease_ends,
            lease_cause=visitor.lease_cause,
            identification=self._clocks.last(profile.nai),
            clock_offset=self._clocks.offset(visitor.lma),
            keepalive_interval=grant.keepalive_interval,
            accounting_id=visitor.accounting_id,
            examined=visitor.examined,
        )


def admission(word: Word) -> Admitted | Withdrawn:
    """What has become of one."""
    key, found = word.key, word.admission
    if found is None:
        return Withdrawn(mac=key.mac, port=key.port, deadline=word.deadline)
    profile = found.profile
    return Admitted(
        mac=key.mac,
        port=key.port,
        nai=profile.nai,
        lmas=profile.lmas,
        mn_ha=_mn_ha(profile.mn_ha),
        mn_aaa=None if profile.mn_aaa is None else (profile.mn_aaa.spi, profile.mn_aaa.key),
        profile_home_address=profile.home_address,
        session_timeout=profile.session_timeout,
        framed_pool=profile.framed_pool,
        authorized=_authorized(profile),
        examined=found.examined,
        ends_at=found.until,
        deadline=word.deadline,
    )


def departed(visitor: Visitor) -> tuple[Departed, ...]:
    """``visitor`` is no more, if that needs to be said."""
    if visitor.recorded_until is None:
        return ()
    return (Departed(mac=visitor.mac, nai=visitor.nai, deadline=visitor.recorded_until),)


def buried(visitor: Visitor, identifier: int) -> Buried:
    """The registration of ``visitor`` is over; ``identifier``: of the last revocation that was about it."""
    profile, grant, tunnel = visitor.profile, visitor.grant, visitor.tunnel
    assert profile is not None and grant is not None and tunnel is not None
    return Buried(
        home_agent=tunnel.remote,
        home_address=visitor.home_address,
        nai=visitor.nai,
        lma=visitor.lma,
        mn_ha=_mn_ha(profile.mn_ha),
        identifier=identifier,
        deadline=grant.ends_at,
    )


def mn_ha_of(record: Visiting | Admitted | Buried) -> SecurityAssociation | None:
    """The node's own association with its LMA, as AAA gave it."""
    if record.mn_ha is None:
        return None
    spi, algorithm, key = record.mn_ha
    return SecurityAssociation(spi, key, Algorithm(algorithm))


def _mn_ha(association: SecurityAssociation | None) -> tuple[int, str, Secret] | None:
    return None if association is None else (association.spi, association.algorithm.value, association.key)


def _authorized(profile: Profile) -> Authorized:
    return Authorized(
        classes=profile.classes,
        fa_rk=None if profile.fa_rk is None else (profile.fa_rk.spi, profile.fa_rk.key),
        dhcp_server=profile.dhcp_server,
        name_servers=profile.name_servers,
        lifetime=profile.lifetime,
        idle_timeout=profile.idle_timeout,
        interim_interval=profile.interim_interval,
        reauthenticate=profile.reauthenticate,
        filter_ids=profile.filter_ids,
        chargeable_identity=profile.chargeable_identity,
        aaa_session_id=profile.aaa_session_id,
        correlation_id=profile.correlation_id,
    )
