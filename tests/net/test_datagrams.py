"""Datagrams of port 434 as the kernel sends and takes them: type of service, and checksums."""

import os
import socket

import pytest
from zope.interface import implementer

from pmip_tw.addresses import Endpoint, ipv4, ipv4_text
from pmip_tw.interfaces import Datagram, ISignallingReceiver, ITunnelDataReceiver, Unreachable
from pmip_tw.net.signalling import UdpSignalling
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers
from tests.loops import private_reactor, run_until

LOCAL, PEER = ipv4("127.0.6.1"), ipv4("127.0.6.2")
TUNNEL_DATA = b"\x04\x04\0\0a packet"
_CHECKSUM = 26
"""Where it stands in an IPv4 packet without options."""


@implementer(ISignallingReceiver, ITunnelDataReceiver)
class Listener:
    def __init__(self) -> None:
        self.tunnelled: list[bytes] = []

    def datagrams_received(self, batch: list[Datagram]) -> None:
        raise AssertionError("there is no signalling here")

    def peer_unreachable(self, report: Unreachable) -> None:
        raise AssertionError("everybody is there")

    def tunnel_data_received(self, batch: list[Datagram]) -> None:
        self.tunnelled += [one.payload for one in batch]


@covers("N33")
def test_the_type_of_service_is_as_it_was_asked_for() -> None:
    with private_reactor() as reactor, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((ipv4_text(PEER), 0))
        peer.settimeout(5)
        peer.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        signalling = UdpSignalling(reactor, [LOCAL])
        signalling.start(Listener(), None)
        try:
            for tos in (0, 0xB8, 0x03, 0):
                assert signalling.send(TUNNEL_DATA, Endpoint(PEER, peer.getsockname()[1]), LOCAL, tos) == 0
                payload, [(_, _, told)], _, (sender, _) = peer.recvmsg(100, 64)
                assert (payload, told[0], sender) == (TUNNEL_DATA, tos, ipv4_text(LOCAL))
        finally:
            signalling.stop()


@covers("N34")
@pytest.mark.skipif(os.geteuid() != 0, reason="needs a raw socket")
def test_a_checksum_is_computed_may_be_missing_and_must_not_be_wrong() -> None:
    listener = Listener()
    with (
        private_reactor() as reactor,
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw,
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as wire,
    ):
        wire.bind((ipv4_text(PEER), 0))
        wire.settimeout(5)
        signalling = UdpSignalling(reactor, [LOCAL])
        signalling.start(listener, listener)
        try:
            for number, checksum in enumerate((None, b"\0\0", b"\x12\x34", None)):
                packet = udp_packet(
                    Endpoint(PEER, 5000), Endpoint(LOCAL, 434), TUNNEL_DATA + bytes((number,))
                )
                if checksum is not None:
                    packet = packet[:_CHECKSUM] + checksum + packet[_CHECKSUM + 2 :]
                raw.sendto(packet, (ipv4_text(LOCAL), 0))
            run_until(reactor, lambda: listener.tunnelled[-1:] == [TUNNEL_DATA + b"\3"])
            assert [payload[-1] for payload in listener.tunnelled] == [0, 1, 3]
            signalling.send(TUNNEL_DATA, Endpoint(PEER, 5000), LOCAL)
            sent = Ipv4Packet.decode(wire.recv(1000))
            assert sent.payload[6:8] != b"\0\0"
        finally:
            signalling.stop()
