"""The parts of an LMA's machine, and how they are wired."""

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.dhcp.relaying import RelayPolicy
from pmip_tw.lma.addresses.home_addresses import HomeAddresses
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.bindings import BindingTable
from pmip_tw.lma.dhcp.leasing import Leasing
from pmip_tw.lma.dhcp.pretunnelling import PreTunnelling
from pmip_tw.lma.dhcp.side import DhcpSide
from pmip_tw.lma.ending import Ending
from pmip_tw.lma.journal.former import Former
from pmip_tw.lma.journal.restoring import Restorer
from pmip_tw.lma.keys.asking import Keys
from pmip_tw.lma.keys.policy import KeyPolicy
from pmip_tw.lma.keys.root_keys import RootKeys
from pmip_tw.lma.mags import KnownMags
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.registration.expiring import Expiring
from pmip_tw.lma.registration.granting import Granting
from pmip_tw.lma.registration.intake import Intake
from pmip_tw.lma.registration.newcomers import Newcomers
from pmip_tw.lma.registration.patterns import Patterns
from pmip_tw.lma.registration.registrations import Registrations
from pmip_tw.lma.registration.renewals import Renewals
from pmip_tw.lma.registration.underway import Underway
from pmip_tw.lma.registration.undoing import Undoing
from pmip_tw.lma.revocation.revoked import Revoked
from pmip_tw.lma.revocation.revoking import Revoker
from pmip_tw.lma.session.allowing import Allowing
from pmip_tw.lma.session.limiting import Limiting
from pmip_tw.lma.sessions import Sessions
from pmip_tw.mobility.associations import AssociationTable
from pmip_tw.mobility.mn_aaa import AaaTable
from pmip_tw.mobility.replay import ReplayFloors
from pmip_tw.mobility.steady_clock import SLEW, SteadyClock


class LmaParts:
    """One of each; the arguments are LmaEngine's."""

    def __init__(
        self,
        policy: LmaPolicy,
        associations: AssociationTable,
        pools: Pools,
        mags: KnownMags | None,
        aaa: AaaTable | None,
        dhcp_relay: RelayPolicy | None,
        keys: KeyPolicy | None,
    ) -> None:
        self.clock = SteadyClock()
        self.bindings = BindingTable()
        # A second more than a timestamp from the far end of the window can live, by a clock that is slowed (I10).
        self.floors = ReplayFloors(2 * policy.timestamp_window / (1 - SLEW) + 1)
        self.underway = Underway(pools.user)
        self.keys: Keys | None = None
        if keys is not None:
            root_keys = RootKeys(policy.address)
            self.keys = Keys(
                keys, policy.address, associations, self.bindings, root_keys, mags, policy.filters
            )
        self.revoker = Revoker(self.underway, self.keys)
        self.intake = Intake(
            policy,
            associations,
            self.bindings,
            self.floors,
            self.underway,
            mags=mags,
            aaa=aaa,
            keys=self.keys,
        )
        assigned = None if self.keys is None else self.keys.fetched.home_address
        home_addresses = HomeAddresses(pools, self.bindings, assigned)
        self.granting = Granting(policy, home_addresses, self.bindings, self.revoker)
        patterns = Patterns(policy)
        self.registrations = Registrations(
            policy,
            home_addresses,
            self.granting,
            self.bindings,
            self.floors,
            self.revoker,
            self.underway,
            patterns,
            Allowing(policy.filters, self.keys),
        )
        self.undoing = Undoing(
            policy.address, home_addresses, self.bindings, self.underway, self.intake, self.registrations
        )
        self.newcomers = Newcomers(
            policy,
            patterns,
            associations,
            self.intake,
            self.bindings,
            home_addresses,
            self.revoker,
            self.registrations,
            self.keys,
        )
        self.renewals = Renewals(policy, self.bindings, self.intake, self.revoker, self.underway)
        self.revoked = Revoked(
            policy,
            associations,
            mags,
            pools,
            self.bindings,
            self.registrations,
            self.underway,
            self.keys,
        )
        self.ending = Ending(policy.address, self.registrations, self.revoker)
        self.expiring = Expiring(self.registrations, self.bindings, self.underway, self.floors)
        self.leasing = Leasing(pools, self.bindings, self.ending.lease_over)
        self.limiting = Limiting(policy.sees_traffic, self.bindings, self.underway, self.ending)
        self.sessions = Sessions(
            policy,
            self.bindings,
            pools,
            self.underway,
            lambda bound, now: self.ending.end(
                bound, self.clock.of(now), TerminateCause.ADMIN_RESET, inform=True
            ),
            self.keys,
        )
        self.dhcp: DhcpSide | None = None
        if policy.pre_tunnel and dhcp_relay is not None:
            requests = PreTunnelling(policy, self.intake, pools, self.floors, self.registrations)
            self.dhcp = DhcpSide(dhcp_relay, requests, pools, self.bindings, self.leasing)
        self.former = Former(policy.address, self.intake, self.granting, policy.filters)
        self._pools = pools
        self._timestamp_window = policy.timestamp_window

    def restorer(self) -> Restorer:
        """What it learns is of use once."""
        return Restorer(
            intake=self.intake,
            bindings=self.bindings,
            former=self.former,
            pools=self._pools,
            floors=self.floors,
            revoker=self.revoker,
            revoked=self.revoked,
            window=self._timestamp_window,
        )
