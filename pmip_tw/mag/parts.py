"""The parts of a MAG's machine, and how they are wired."""

from functools import partial

from pmip_tw.mag.addressing.methods import addressing_of
from pmip_tw.mag.addressing.pretunnel import PreTunnels
from pmip_tw.mag.authentication.aaa_side import AaaSide
from pmip_tw.mag.authentication.gate import Gate
from pmip_tw.mag.deadlines import Deadlines
from pmip_tw.mag.homeside import HomeSide
from pmip_tw.mag.journal.recording import Recording
from pmip_tw.mag.journal.restoring import Restorer
from pmip_tw.mag.links import HomeLinks
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.registration.accepting import Acceptance
from pmip_tw.mag.registration.anew import Anew
from pmip_tw.mag.registration.asking import Asking
from pmip_tw.mag.registration.care_of import CareOf
from pmip_tw.mag.registration.clocks import TIMESTAMP_WINDOW, Identifications
from pmip_tw.mag.registration.judging import Judge
from pmip_tw.mag.registration.lmas import Lmas
from pmip_tw.mag.registration.registering import Registrations
from pmip_tw.mag.registration.registrar import Registrar
from pmip_tw.mag.registration.waiting import Waiting
from pmip_tw.mag.session.departures import Departures
from pmip_tw.mag.session.informing import Informing
from pmip_tw.mag.session.revoked import Revocations
from pmip_tw.mag.uplink import Store
from pmip_tw.mag.visitors import VisitorList


class MagParts:
    """One of each, for ``policy``."""

    def __init__(self, policy: MagPolicy) -> None:
        self.visitors = VisitorList()
        self.deadlines = Deadlines(self.visitors)
        self.gate = Gate(policy.max_authentications)
        self.links = HomeLinks(policy)
        self.informing = Informing(policy, self.links)
        self.care_of = CareOf(policy.address)
        self.clocks = Identifications(TIMESTAMP_WINDOW)
        self.lmas = Lmas(policy)
        registrar = Registrar(policy, self.care_of, self.lmas, self.clocks)
        judge = Judge(self.lmas, self.clocks)
        self.addressing = addressing_of(
            policy,
            self.links,
            self.visitors,
            partial(PreTunnels, registrar, judge, self.lmas, self.visitors, policy.nat_traversal),
        )
        self.home = HomeSide(policy, self.links, self.addressing)
        self.revocations = Revocations(self.care_of, self.visitors, self.lmas)
        recording = Recording(self.links, self.clocks)
        self.departures = Departures(self.visitors, registrar, self.lmas, self.revocations)
        asking = Asking(
            policy=policy,
            visitors=self.visitors,
            gate=self.gate,
            addressing=self.addressing,
            lmas=self.lmas,
            registrar=registrar,
            departures=self.departures,
        )
        self.registrations = Registrations(
            policy=policy,
            gate=self.gate,
            home=self.home,
            addressing=self.addressing,
            asking=asking,
            acceptance=Acceptance(
                policy=policy,
                visitors=self.visitors,
                links=self.links,
                addressing=self.addressing,
                lmas=self.lmas,
                revocations=self.revocations,
                recording=recording,
                departures=self.departures,
            ),
            lmas=self.lmas,
            registrar=registrar,
            judge=judge,
            recording=recording,
            departures=self.departures,
            waiting=Waiting(self.visitors, self.home, asking, self.departures),
        )
        schedule = self.deadlines.schedule
        held = Store()
        self.aaa = AaaSide(
            policy=policy,
            visitors=self.visitors,
            gate=self.gate,
            addressing=self.addressing,
            lmas=self.lmas,
            links=self.links,
            asking=asking,
            registrations=self.registrations,
            recording=recording,
            departures=self.departures,
            held=held,
            schedule=schedule,
        )
        self.anew = Anew(policy, self.care_of, self.visitors, self.lmas, self.registrations, schedule)
        self.restorer = Restorer(
            policy=policy,
            care_of=self.care_of,
            visitors=self.visitors,
            links=self.links,
            addressing=self.addressing,
            admissions=self.aaa.admissions,
            allowing=self.aaa.allowing,
            clocks=self.clocks,
            lmas=self.lmas,
            revocations=self.revocations,
            anew=self.anew,
            held=held,
            schedule=schedule,
        )
