"""Who takes what the packet plane hands up before there is an agent."""

from zope.interface import implementer

from pmip_tw.interfaces import IPacketReceiver
from pmip_tw.mobility.tunnels import AccessKey, Tunnel


@implementer(IPacketReceiver)
class Nobody:
    """What nobody takes is lost."""

    def frame_received(self, port: str, frame: bytes) -> None:
        pass

    def keepalive_answered(self, key: AccessKey) -> None:
        pass

    def dhcp_shown(self, key: AccessKey, packet: bytes) -> None:
        pass

    def dhcp_tunneled(self, tunnel: Tunnel, packet: bytes) -> None:
        pass

    def breakout_refused(self, key: AccessKey, cause: str) -> None:
        pass
