"""IPsec policies that a test writes down."""

from zope.interface import implementer

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IIpsecPolicies


@implementer(IIpsecPolicies)
class FakePolicies:
    """``protected``: pairs of peer and our address; ``broken``: why they cannot be read, "" if they can."""

    def __init__(self, protected: set[tuple[Ipv4, Ipv4]] | None = None) -> None:
        self.protected = protected or set()
        self.broken = ""

    def requires_esp(self, peer: Ipv4, local: Ipv4) -> bool:
        if self.broken:
            raise PmipError(self.broken)
        return (peer, local) in self.protected
