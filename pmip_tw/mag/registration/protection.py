"""By what a registration is proven: the node's own association, the MAG's, or IPsec (RFC 5563 4.3; P11, P13)."""

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.mn_aaa import AaaAssociation
from pmip_tw.wire.extension_fields import BY_FA_HA, BY_IPSEC

_METHODS = {AuthenticationMode.FA_HA: BY_FA_HA, AuthenticationMode.IPSEC: BY_IPSEC}


@attrs.frozen(slots=True, kw_only=True)
class LmaAssociation:
    """What a MAG and one LMA have agreed upon. ``fa_ha``: in per-MN mode an additional proof, if there is one."""

    address: Ipv4
    mode: AuthenticationMode = AuthenticationMode.PER_MN
    fa_ha: SecurityAssociation | None = None


@attrs.frozen(slots=True, kw_only=True)
class Protection:
    """The associations of one registration. What was sent under it is judged by it, whatever changes meanwhile.

    In per-MN mode ``mn_ha`` proves, and ``fa_ha`` does too if there is one; in FA-HA mode ``fa_ha`` does; in IPsec
    mode the kernel does. ``mn_aaa`` is an additional proof towards AAA.
    """

    mode: AuthenticationMode
    mn_ha: SecurityAssociation | None = None
    mn_aaa: AaaAssociation | None = None
    fa_ha: SecurityAssociation | None = None

    @property
    def per_node(self) -> tuple[int, bytes] | None:
        """The content of 47, None where it is absent (P11)."""
        return _METHODS.get(self.mode)

    @property
    def covers_agent_part(self) -> bool:
        """Whether something protects what a foreign agent adds after MN-HA (RV2, T5)."""
        return self.fa_ha is not None or self.mode is AuthenticationMode.IPSEC

    def fa_ha_for(self, lifetime: int) -> SecurityAssociation | None:
        """RFC 5944 3.5.4 bans FA-HA from de-registrations; where it is the only proof it stays (A2, P39)."""
        return self.fa_ha if lifetime or self.mode is AuthenticationMode.FA_HA else None
