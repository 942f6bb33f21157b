"""Which MAGs an LMA knows, by which key each proves its requests, and for which nodes (``[[lma.mags]]``)."""

from collections.abc import Iterable, Iterator
from typing import TypeGuard

import attrs

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma.realms import realm_of
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.wire.registration import RegistrationRequest


@attrs.frozen(slots=True, kw_only=True)
class KnownMag:
    """``address``: where its requests come from, or its care-of address behind a NAT.

    ``associations``: in FA-HA mode at least one, the first signs what answers no valid authenticator of its own.
    ``behind_nat``: an SPI alone may name it (N27). ``realms``: by ``realm_key``; empty: all (P75). ``proxy``: it may
    register nodes at all (P27). ``protected``: the kernel takes its signalling only through ESP (P74).
    ``draft03``: it writes type 47 as draft-leung-mip4-proxy-mode-03 does.
    """

    address: Ipv4
    mode: AuthenticationMode = AuthenticationMode.PER_MN
    associations: tuple[SecurityAssociation, ...] = ()
    behind_nat: bool = False
    realms: frozenset[bytes] = frozenset()
    proxy: bool = True
    protected: bool = False
    draft03: bool = False

    def may_register(self, nai: bytes) -> bool:
        """P27, P75."""
        if not self.proxy or not self.realms:
            return self.proxy
        return realm_of(nai) in self.realms

    def association(self, spi: int) -> SecurityAssociation | None:
        return next((one for one in self.associations if one.spi == spi), None)


def shares_key(mag: KnownMag | None) -> TypeGuard[KnownMag]:
    """Whether there is an association for FA-HA (H6)."""
    return mag is not None and mag.mode is AuthenticationMode.FA_HA


class KnownMags:
    """Finds the MAG that sent something."""

    def __init__(self, mags: Iterable[KnownMag]) -> None:
        mags = tuple(mags)
        self._draft03 = frozenset(mag.address for mag in mags if mag.draft03)
        self._by_address = {mag.address: mag for mag in mags}
        # The configuration sees to it that no two of these share an SPI.
        self._by_spi = {one.spi: mag for mag in self if mag.behind_nat for one in mag.associations}

    def sender(self, request: RegistrationRequest, source: Endpoint) -> KnownMag | None:
        """Whose ``request`` it is, in the order of N27: by source, by care-of address, by SPI.

        Neither address proves anything before an authenticator is checked. Only the source does where IPsec is to
        prove it: that is what the kernel has looked at (P74).
        """
        care_of_address = request.care_of_address
        candidates: list[KnownMag | None] = [self._by_address.get(source.address)]
        if source.address != care_of_address and request.udp_tunnel is not None:
            named = self._by_address.get(care_of_address)
            if named is not None and named.mode is not AuthenticationMode.IPSEC:
                candidates.append(named)
        if request.fa_ha is not None:
            candidates.append(self._by_spi.get(request.fa_ha.spi))
        known = [mag for mag in candidates if mag is not None]
        if request.fa_ha is not None:
            for mag in known:
                if mag.association(request.fa_ha.spi) is not None:
                    return mag
        return known[0] if known else None

    def writes_draft03(self, source: Endpoint) -> bool:
        """How to read a request from ``source``, before anything is known of it."""
        return source.address in self._draft03

    def is_known(self, source: Ipv4) -> bool:
        """Whether a MAG is configured with that address."""
        return source in self._by_address

    def protect(self, address: Ipv4) -> None:
        """The signalling of the MAG at ``address`` comes through ESP or not at all."""
        self._by_address[address] = attrs.evolve(self._by_address[address], protected=True)

    def by_ipsec(self, source: Endpoint) -> KnownMag | None:
        """The MAG whose datagrams from ``source`` came through ESP."""
        mag = self._by_address.get(source.address)
        return mag if mag is not None and mag.protected else None

    def of_domain(self, foreign_domain: Ipv4, spi: int) -> KnownMag | None:
        """Whose revocation it is: by its care-of address, which no NAT changes, and the SPI (RV11).

        Behind a NAT that address is a private one, and another MAG may have the same.
        """
        for mag in (self._by_address.get(foreign_domain), self._by_spi.get(spi)):
            if mag is not None and mag.association(spi) is not None:
                return mag
        return None

    def __iter__(self) -> Iterator[KnownMag]:
        return iter(self._by_address.values())
