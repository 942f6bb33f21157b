"""An LMA as it is shipped, with a MAG's socket on one side and a DHCP server's on the other (figure 3 of draft-lai)."""

import json
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Endpoint, Ipv4, ipv4
from pmip_tw.lma.workers.slices import worker_of_nai
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.replay import ntp_timestamp
from pmip_tw.secret import Secret
from pmip_tw.wire.dhcp import DhcpMessage, MessageType
from pmip_tw.wire.extension_values import UdpTunnelRequest
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.pretunnel import PreTunnelReply, PreTunnelRequest, ethernet_device
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL, RegistrationReply, RegistrationRequest
from pmip_tw.wire.udp import UdpDatagram, udp_packet
from tests.conformance import covers
from tests.lma.dhcp_anchor import answer, message, station
from tests.namespaces import private_network
from tests.programs import require
from tests.services.daemons import BIN, daemon, shell

LMA, MAG, SERVER = "192.0.2.1", "198.51.100.10", "203.0.113.67"
HOME = ipv4("10.1.0.101")
KEYED = SecurityAssociation(4096, Secret(b"0123456789abcdef"))
FORCED = UdpTunnelRequest(forced=True, dhcp_only=True)
NODE = next(node for node in range(1, 20) if worker_of_nai(b"mn%d@example.net" % node, 2) == 1)
NAI = b"mn%d@example.net" % NODE

CONFIG = f"""
[lma]
address = "{LMA}"
identity = "lma1"
control = "DIRECTORY/lma.sock"
store = "DIRECTORY/journal/lma.journal"
workers = WORKERS
# What is refused after a restart is refused because it was said before, however long that took.
timestamp_window = 600
pre_tunnel = true
pre_tunnel_request_type = 120
pre_tunnel_reply_type = 121
[[lma.pools]]
prefix = "10.1.0.0/24"
assigned_by = "dhcp"
[lma.dhcp_relay]
servers = ["{SERVER}"]
option_82 = ["subscriber-id", "server-id-override"]
[[lma.mobile_nodes]]
nai = "{NAI.decode()}"
spi = 4096
key = "text:0123456789abcdef"
"""


@pytest.fixture
def network() -> Iterator[None]:
    require("ip")
    with private_network():
        for address in (LMA, MAG, SERVER):
            shell(f"ip address add {address}/32 dev lo")
        yield


@contextmanager
def lma(directory: Path, workers: int) -> Iterator[subprocess.Popen[str]]:
    """It serves, with all of its workers."""
    (directory / "journal").mkdir(mode=0o700, exist_ok=True)
    config = directory / "lma.toml"
    config.write_text(CONFIG.replace("DIRECTORY", str(directory)).replace("WORKERS", str(workers)))
    process = subprocess.Popen(
        daemon("lma", config), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=directory
    )
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if ("is ready" if workers == 1 else f"all {workers} workers serve") in line:
                break
        else:
            pytest.fail(said)
        yield process
    finally:
        process.kill()
        process.communicate()


class Around:
    """A MAG's port 434 and a DHCP server's port 67."""

    def __init__(self) -> None:
        self.mag, self.server = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.mag.bind((MAG, 434))
        self.server.bind((SERVER, 67))

    def close(self) -> None:
        self.mag.close()
        self.server.close()

    @staticmethod
    def _next(one: socket.socket) -> bytes:
        ready, _, _ = select.select([one], [], [], 5)
        assert ready, "nothing came"
        return one.recv(65536)

    def says(self, payload: bytes) -> bytes:
        """The MAG says something to the LMA; its answer."""
        self.mag.sendto(payload, (LMA, 434))
        return self._next(self.mag)

    def up(self, said: DhcpMessage, source: Ipv4 = UNSPECIFIED, destination: Ipv4 = ALL_ONES) -> DhcpMessage:
        """A node says it in its tunnel in UDP; what the server gets."""
        packet = udp_packet(Endpoint(source, 68), Endpoint(destination, 67), said.encode())
        self.mag.sendto(b"\x04\x04\0\0" + packet, (LMA, 434))
        return DhcpMessage.decode(self._next(self.server))

    def down(self, said: DhcpMessage) -> tuple[Ipv4Packet, DhcpMessage]:
        """The server answers; what comes out at the MAG."""
        self.server.sendto(said.encode(), (LMA, 67))
        data = self._next(self.mag)
        assert data[:4] == b"\x04\x04\0\0"
        packet = Ipv4Packet.decode(data[4:])
        return packet, DhcpMessage.decode(UdpDatagram.decode(packet).payload)


def pre_tunnel_request() -> bytes:
    """A new one."""
    request = PreTunnelRequest(
        nai=NAI,
        home_agent=ipv4(LMA),
        care_of_address=ipv4(MAG),
        identification=ntp_timestamp(time.time()),
        udp_tunnel=FORCED,
        identifiers=(ethernet_device(station(NODE)),),
    )
    return request.encode(120, mn_ha=KEYED)


def asked(directory: Path, *words: str) -> list[dict[str, object]]:
    command = [str(BIN / "pmipctl"), "--json", "--socket", str(directory / "lma.sock"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    [rows] = json.loads(done.stdout).values()
    return rows  # type: ignore[no-any-return]


@covers("N53", "N55", "N56", "P64", "D14", "D31", "P38")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_lease_from_discover_to_release(tmp_path: Path, network: None, workers: int) -> None:
    around = Around()
    with lma(tmp_path, workers):
        reply = PreTunnelReply.decode(around.says(pre_tunnel_request()), 121)
        assert (reply.status, reply.care_of_address) == (0, ipv4(MAG))

        discover = around.up(message(MessageType.DISCOVER, NODE))
        assert discover.giaddr == ipv4(LMA)
        packet, offer = around.down(answer(MessageType.OFFER, discover, HOME, server=ipv4(LMA)))
        assert (packet.source, packet.destination, offer.yiaddr) == (ipv4(LMA), HOME, HOME)
        wanted = message(MessageType.REQUEST, NODE, requested=HOME, server=ipv4(LMA))
        _, ack = around.down(answer(MessageType.ACK, around.up(wanted), HOME, server=ipv4(LMA)))
        assert ack.message_type is MessageType.ACK

        registration = RegistrationRequest(
            flags=REVERSE_TUNNEL | COLOCATED,
            nai=NAI,
            lifetime=600,
            home_address=HOME,
            home_agent=ipv4(LMA),
            care_of_address=ipv4(MAG),
            identification=ntp_timestamp(time.time()),
            udp_tunnel=UdpTunnelRequest(forced=True),
        )
        accepted = RegistrationReply.decode(around.says(registration.encode(mn_ha=KEYED)))
        assert (accepted.code, accepted.home_address) == (1, HOME)
        [lease] = asked(tmp_path, "show", "leases")
        assert (lease["home_address"], lease["mag"], lease["renewals"]) == ("10.1.0.101", MAG, "by us")

        # The node renews at its server, which is us: through its tunnel, the kernel, and back.
        renewal = around.up(message(MessageType.REQUEST, NODE, ciaddr=HOME, xid=99), HOME, ipv4(LMA))
        packet, ack = around.down(answer(MessageType.ACK, renewal, HOME, server=ipv4(LMA)))
        assert (packet.destination, ack.message_type) == (HOME, MessageType.ACK)
        released = around.up(
            message(MessageType.RELEASE, NODE, ciaddr=HOME, server=ipv4(LMA)), HOME, ipv4(LMA)
        )
        assert released.message_type is MessageType.RELEASE
        deadline = time.monotonic() + 5
        while asked(tmp_path, "show", "bindings"):
            assert time.monotonic() < deadline
        assert asked(tmp_path, "show", "leases") == []
        told = [row["name"] for row in asked(tmp_path, "trace", NAI.decode())]
        assert "lease-recorded" in told and "lease-ended" in told
    around.close()


@covers("N50", "I10", "N54")
@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_said_before_a_kill_holds(tmp_path: Path, network: None, workers: int) -> None:
    """Who has heard the request for the tunnel cannot have it anew, and the lease of the ACK is there."""
    around = Around()
    request = pre_tunnel_request()
    with lma(tmp_path, workers) as process:
        assert PreTunnelReply.decode(around.says(request), 121).status == 0
        process.kill()
    with lma(tmp_path, workers) as process:
        assert PreTunnelReply.decode(around.says(request), 121).status == 133
        assert PreTunnelReply.decode(around.says(pre_tunnel_request()), 121).status == 0
        wanted = message(MessageType.REQUEST, NODE, requested=HOME, server=ipv4(LMA))
        _, ack = around.down(answer(MessageType.ACK, around.up(wanted), HOME, server=ipv4(LMA)))
        assert ack.message_type is MessageType.ACK
        process.kill()
    with lma(tmp_path, workers):
        [lease] = asked(tmp_path, "show", "leases")
        assert (lease["nai"], lease["home_address"]) == (NAI.decode(), "10.1.0.101")
    around.close()
