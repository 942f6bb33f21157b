"""WiMAX's keys for mobility as an AAA server derives them from what EAP has left it, the EMSK.

Only AAA does this: MAGs and LMAs use the keys that they are given, whatever they were made of (AA11). It is here for
the local AAA of a MAG that has no server, and for servers that tests are made of. An LMA derives one thing itself,
``fa_ha``: a key between agents from the root key that AAA gave it (AA13).
"""

import hmac
from hashlib import sha1, sha256

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.associations import MINIMUM_SPI, SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.secret import Secret

EMSK_SIZE = 64
"""Octets that an EAP method leaves at least (RFC 3748 7.10)."""

_USAGE = b"miprk@wimaxforum.org" + bytes(1) + (512).to_bytes(2, "big")
"""A label, the octet that ends it, and the length of MIP-RK in bits."""

_HIGHEST_SPI = 0xFFFFFFFF - 2
"""From which the two others that follow it are SPIs as well."""


@attrs.frozen(slots=True)
class MobilityKeys:
    """All that follows from one EMSK. ``root``: MIP-RK, 64 octets; ``spi``: that of it, which others count from."""

    root: Secret
    spi: int

    @classmethod
    def of(cls, emsk: Secret) -> "MobilityKeys":
        """ValueError: it is too short to be an EMSK."""
        if len(emsk) < EMSK_SIZE:
            raise ValueError(f"an EMSK has at least {EMSK_SIZE} octets (RFC 3748 7.10), not {len(emsk)}")
        first = hmac.digest(emsk.reveal(), _USAGE + b"\x01", sha256)
        second = hmac.digest(emsk.reveal(), first + _USAGE + b"\x02", sha256)
        root = Secret(first + second)
        spi = int.from_bytes(hmac.digest(root.reveal(), b"SPI CMIP PMIP", sha256)[:4], "big")
        if spi < MINIMUM_SPI:
            spi += MINIMUM_SPI
        return cls(root, min(spi, _HIGHEST_SPI))

    @property
    def spi_of_client(self) -> int:
        """For MN-HA of a node that has a Mobile IP client of its own (CMIP4)."""
        return self.spi

    @property
    def spi_of_proxy(self) -> int:
        """For MN-HA of one that has a MAG do it (PMIP4)."""
        return self.spi + 1

    def client_key(self, home_agent: Ipv4, nai: bytes) -> Secret:
        """MN-HA-CMIP4, 20 octets."""
        return self._mn_ha(b"CMIP4 MN HA", home_agent, nai)

    def proxy_key(self, home_agent: Ipv4, nai: bytes) -> Secret:
        """MN-HA-PMIP4, 20 octets; another one for each LMA."""
        return self._mn_ha(b"PMIP4 MN HA", home_agent, nai)

    def proxy_association(
        self, home_agent: Ipv4, nai: str, algorithm: Algorithm = Algorithm.HMAC_MD5
    ) -> SecurityAssociation:
        """What a MAG and the LMA at ``home_agent`` prove this node's registrations by (AA12)."""
        return SecurityAssociation(self.spi_of_proxy, self.proxy_key(home_agent, nai.encode()), algorithm)

    def fa_root(self) -> Secret:
        """FA-RK, 20 octets, of which SPI is ``spi``."""
        return _keyed(self.root, b"FA-RK")

    def _mn_ha(self, label: bytes, home_agent: Ipv4, nai: bytes) -> Secret:
        return _keyed(self.root, label + home_agent.to_bytes(4, "big") + nai)


def fa_ha(ha_root: Secret, home_agent: Ipv4, care_of_address: Ipv4, spi: int) -> Secret:
    """FA-HA, 20 octets, for the two agents at these addresses from the HA-RK of ``spi``."""
    addresses = home_agent.to_bytes(4, "big") + care_of_address.to_bytes(4, "big")
    return _keyed(ha_root, b"FA-HA" + addresses + spi.to_bytes(4, "big"))


def _keyed(key: Secret, data: bytes) -> Secret:
    return Secret(hmac.digest(key.reveal(), data, sha1))
