"""Senders of bad requests that have any source they like: what they send is a whole packet, made beforehand."""

import random
import socket
import subprocess
from collections.abc import Sequence

from pmip_tw.addresses import Endpoint, Ipv4, ipv4, ipv4_text
from pmip_tw.mobility.tunnels import SIGNALLING_PORT
from pmip_tw.wire.udp import udp_packet

_NETWORK, _BITS = ipv4("198.18.0.0"), 15
"""For benchmarks (RFC 2544)."""

_DEVICE = "impostors"


class Impostors:
    """They send to ``server`` in a private world, from addresses where nobody is; answers to them vanish."""

    def __init__(self, server: Ipv4) -> None:
        self._server = Endpoint(server, SIGNALLING_PORT)
        subprocess.run(["ip", "tuntap", "add", _DEVICE, "mode", "tun"], check=True)
        subprocess.run(["ip", "link", "set", _DEVICE, "up"], check=True)
        network = f"{ipv4_text(_NETWORK)}/{_BITS}"
        subprocess.run(["ip", "route", "add", network, "dev", _DEVICE], check=True)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self._socket.connect((ipv4_text(server), 0))
        self.send = self._socket.send

    def packets(self, messages: Sequence[bytes], sources: int) -> list[bytes]:
        """``messages``, each from one of so many sources in turn."""
        chance = random.Random(sources)
        addresses = chance.sample(range(1, (1 << 32 - _BITS) - 1), sources)
        froms = [Endpoint(Ipv4(_NETWORK + one), chance.randrange(1024, 1 << 16)) for one in addresses]
        return [
            udp_packet(froms[number % sources], self._server, message)
            for number, message in enumerate(messages)
        ]

    def close(self) -> None:
        self._socket.close()
        subprocess.run(["ip", "link", "del", _DEVICE], check=True)
