"""H7 on the wire: requests to broadcast addresses are heard, with the address that they were sent to."""

import socket
import subprocess

from pmip_tw.addresses import ipv4
from pmip_tw.net.signalling import UdpSignalling
from tests.conformance import covers
from tests.contracts.test_signalling import Mailbox
from tests.loops import private_reactor, run_until
from tests.namespaces import private_network

OWN, BROADCAST = ipv4("192.0.2.1"), ipv4("192.0.2.255")


@covers("H7")
def test_a_subnet_broadcast_is_heard_beside_the_own_address() -> None:
    with private_network(), private_reactor() as reactor:
        subprocess.run(["ip", "addr", "add", "192.0.2.1/24", "brd", "192.0.2.255", "dev", "lo"], check=True)
        signalling, mailbox = UdpSignalling(reactor, [OWN, BROADCAST]), Mailbox()
        signalling.start(mailbox, None)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sender.bind(("192.0.2.1", 40000))
            sender.sendto(b"\x01to all", ("192.0.2.255", 434))
            sender.sendto(b"\x01to one", ("192.0.2.1", 434))
            run_until(reactor, lambda: len(mailbox.signalling) == 2)
        heard = {datagram.local: datagram.payload for datagram in mailbox.signalling}
        assert heard == {BROADCAST: b"\x01to all", OWN: b"\x01to one"}
        signalling.stop()
