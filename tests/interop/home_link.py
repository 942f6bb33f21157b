"""One access link with an unmodified host on it, in a network namespace of its own; run by test_home_link.py.

    node (dhclient or udhcpc, ping) ==== veth ==== mag (this program: an AF_PACKET socket and the pure answers)

The node gets its address, pings, and with dhclient also reboots twice (the second time its address is another) and
releases. Prints one JSON object with what both ends saw.
"""

import array
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from pmip_tw.access.evidence import evidence
from pmip_tw.access.homelink import arp_answer, arp_probe, echo_answer
from pmip_tw.addresses import ipv4, mac, prefix
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.dhcp.requests import Refusal, classify, client_message
from pmip_tw.dhcp.server import answer, encapsulate
from pmip_tw.wire.arp import REPLY, Arp
from pmip_tw.wire.dhcp import DhcpMessage
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV4, EthernetFrame
from pmip_tw.wire.ipv4 import Ipv4Packet

ALL_PROTOCOLS = 3
SIOCETHTOOL, ETHTOOL_STXCSUM = 0x8946, 0x17
NODE_MAC, GATEWAY_MAC = mac("02:00:00:00:00:01"), mac("02:00:5e:50:4d:49")
HOME, RENUMBERED, GATEWAY = ipv4("10.20.0.5"), ipv4("10.20.0.9"), ipv4("10.20.0.1")
CONFIGURATION = HomeConfiguration(
    prefix=prefix("10.20.0.0/24"), gateway=GATEWAY, dns=(ipv4("10.20.0.53"),), mtu=1468
)

# What both clients call with the lease in the environment; nothing but the interface is touched.
SCRIPT = """#!/bin/sh
case "$reason$1" in
  BOUND|REBOOT|bound)
               ip address flush dev node scope global
               ip address add "${new_ip_address:-$ip}/24" dev node
               ip link set node mtu "${new_interface_mtu:-$mtu}"
               ip route replace default via "${new_routers:-$router}" dev node ;;
esac
"""

CLIENTS = {
    "dhclient": "dhclient -4 -1 -cf /dev/null -lf {0}/leases -pf {0}/pid -sf {0}/script node",
    "udhcpc": "udhcpc -i node -n -q -f -O mtu -s {0}/script",
}


def run(command: str) -> int:
    return subprocess.run(
        command.split(), stdout=sys.stderr, stderr=sys.stderr, timeout=20, check=False
    ).returncode


def finish_checksums(interface: str) -> None:
    """Let ``interface`` hand over whole checksums, as a network card puts them on a wire."""
    command = array.array("I", (ETHTOOL_STXCSUM, 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sP16x", interface.encode(), command.buffer_info()[0])
        fcntl.ioctl(any_socket, SIOCETHTOOL, request)


class HomeLink:
    """The MAG's end of the link, for a node that is registered already."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
        self.socket.bind(("mag", ALL_PROTOCOLS))
        self.home_address = HOME
        self.asked: list[str] = []
        self.evidence: set[str] = set()
        self.present = threading.Event()
        self.released = threading.Event()

    def serve(self) -> None:
        """Until the namespace ends with the process."""
        while True:
            octets, (_, _, direction, *_) = self.socket.recvfrom(65536)
            if direction == socket.PACKET_OUTGOING:
                continue
            frame = EthernetFrame.decode(octets)
            seen = evidence(frame, GATEWAY_MAC)
            if seen is not None:
                self.evidence.add(seen.kind.value)
            reply = self.answer_to(frame)
            if isinstance(reply, bytes):
                self.socket.send(reply)

    def answer_to(self, frame: EthernetFrame) -> bytes | object | None:
        message = client_message(frame, GATEWAY)
        if isinstance(message, Refusal):
            return self.asked.append(message)
        if message is not None:
            return self.dhcp(message)
        if frame.ethertype == ETHERTYPE_ARP:
            arp = Arp.decode(frame.payload)
            if arp.operation == REPLY and arp.sender_address == self.home_address:
                self.present.set()
            return arp_answer(
                arp,
                frame.source,
                home_address=self.home_address,
                prefix=CONFIGURATION.prefix,
                gateway=GATEWAY,
                gateway_mac=GATEWAY_MAC,
            )
        if frame.ethertype == ETHERTYPE_IPV4:
            return echo_answer(
                Ipv4Packet.decode(frame.payload),
                frame.source,
                home_address=self.home_address,
                gateway=GATEWAY,
                gateway_mac=GATEWAY_MAC,
            )
        return None

    def dhcp(self, message: DhcpMessage) -> bytes | None:
        kind = classify(message, self.home_address, CONFIGURATION).kind.value
        self.asked.append(kind)
        if kind == "release":
            self.released.set()
        reply = answer(message, self.home_address, CONFIGURATION, 600)
        return None if reply is None else encapsulate(reply, NODE_MAC, GATEWAY_MAC, GATEWAY)


def interface(name: str) -> dict[str, object]:
    shown = subprocess.run(["ip", "-j", "address", "show", name], capture_output=True, check=True)
    [found] = json.loads(shown.stdout)
    addresses = [entry["local"] for entry in found["addr_info"] if entry["family"] == "inet"]
    return {"addresses": addresses, "mtu": found["mtu"]}


def lose_power(pid_file: Path) -> None:
    """End the daemon that wrote ``pid_file`` without a word to anybody; as process 1 here, we are its parent."""
    pid = int(pid_file.read_text())
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    pid_file.unlink()


def main(client: str) -> None:
    run(f"ip link add node address {NODE_MAC.hex(':')} type veth peer name mag")
    finish_checksums("node")
    for name in ("lo", "node", "mag"):
        run(f"ip link set {name} up")
    link = HomeLink()
    threading.Thread(target=link.serve, daemon=True).start()
    with tempfile.TemporaryDirectory() as directory:
        script = Path(directory, "script")
        script.write_text(SCRIPT)
        script.chmod(0o755)
        command = CLIENTS[client].format(directory)
        results: dict[str, object] = {"client": run(command), **interface("node")}
        results["gateway_answers"] = run("ping -c 1 -W 5 -t 1 10.20.0.1") == 0
        traced = subprocess.run(
            ["ping", "-c", "1", "-W", "5", "-t", "1", "192.0.2.80"],
            capture_output=True,
            text=True,
            check=False,
        )
        results["gateway_is_first_hop"] = "From 10.20.0.1" in traced.stdout
        link.socket.send(arp_probe(HOME, NODE_MAC, GATEWAY, GATEWAY_MAC))
        results["present"] = link.present.wait(20)
        if client == "dhclient":
            lose_power(Path(directory, "pid"))
            run(command)
            lose_power(Path(directory, "pid"))
            link.home_address = RENUMBERED
            run(command)
            results["renumbered"] = interface("node")["addresses"]
            run(command.replace("-1", "-r"))
            results["released"] = link.released.wait(20)
    json.dump({**results, "asked": link.asked, "evidence": sorted(link.evidence)}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
