"""Which AVPs carry keys: RADIUS hides them, Diameter does not, so that they need a protected connection."""

from typing import Final

from pmip_tw.aaa.dictionaries.of_3gpp2 import THREEGPP2
from pmip_tw.aaa.dictionaries.wimax import WIMAX
from pmip_tw.wire.diameter.avps import Avps
from pmip_tw.wire.diameter.codes import Code
from pmip_tw.wire.wimax import VENDOR_WIMAX

KEYS: Final = frozenset(
    {
        *(attribute.key for dictionary in (THREEGPP2, WIMAX) for attribute in dictionary if attribute.hidden),
        *((VENDOR_WIMAX, kind) for kind in (5, 12, 40, 67, 70, 75, 131)),
        (0, Code.EAP_MASTER_SESSION_KEY),
        (0, Code.MIP_SESSION_KEY),
        (0, Code.MIP_MN_TO_HA_MSA),
        (0, Code.MIP_HA_TO_MN_MSA),
        (0, Code.MIP_HA_TO_FA_MSA),
        (0, Code.MIP_FA_TO_HA_MSA),
        (0, Code.MIP_FA_TO_MN_MSA),
    }
)
"""(vendor, code)."""


def carries_keys(avps: Avps) -> bool:
    return any((avp.vendor, avp.code) in KEYS for avp in avps)
