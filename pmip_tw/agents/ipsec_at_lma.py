"""P74: IPsec is believed only of MAGs whose unprotected signalling the kernel drops."""

from collections.abc import Iterator

from pmip_tw.addresses import ipv4_text
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IIpsecPolicies
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.observed import ipsec_policy_missing
from pmip_tw.mobility.observations import Observation


def look_for_ipsec(engine: LmaEngine, ipsec: IIpsecPolicies | None) -> Iterator[Observation]:
    """``engine`` is told who is protected; what is to be told of the others."""
    for mag in engine.ipsec_mags():
        cause = "this LMA does not look at the kernel's policies"
        try:
            if ipsec is not None:
                if ipsec.requires_esp(mag, engine.address):
                    engine.protect(mag)
                    continue
                cause = f"the kernel would take UDP 434 from {ipv4_text(mag)} without ESP"
        except PmipError as error:
            cause = str(error)
        yield ipsec_policy_missing(mag, engine.address, cause)
