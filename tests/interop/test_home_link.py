"""Unmodified DHCP clients, ping and tshark against the home link as a MAG imitates it."""

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pmip_tw.access.homelink import arp_answer, arp_probe
from pmip_tw.addresses import Endpoint, ipv4, mac, prefix
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.dhcp.server import answer, encapsulate
from pmip_tw.wire.arp import REQUEST, Arp
from pmip_tw.wire.dhcp import BOOTREQUEST, DhcpMessage
from pmip_tw.wire.ethernet import ETHERTYPE_IPV4, ethernet_frame
from pmip_tw.wire.icmp import fragmentation_needed, time_exceeded
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

ROOT = Path(__file__).parents[2]
NODE, GATEWAY_MAC = mac("02:00:00:00:00:01"), mac("02:00:5e:50:4d:49")
HOME, GATEWAY = ipv4("10.20.0.5"), ipv4("10.20.0.1")


def needs(*programs: str) -> None:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [program for program in programs if shutil.which(program, path=path) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def on_the_link(client: str) -> dict[str, Any]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces with raw sockets need root")
    needs("unshare", "ip", "ping", client)
    done = subprocess.run(
        [
            "unshare",
            "--net",
            "--pid",
            "--fork",
            "--kill-child",
            sys.executable,
            "-m",
            "tests.interop.home_link",
            client,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@covers("P53", "P58", "P59", "P60", "P15", "P70")
@pytest.mark.parametrize("client", ["dhclient", "udhcpc"])
def test_an_unmodified_host_believes_that_it_is_at_home(client: str) -> None:
    """It gets address and MTU, pings the gateway with TTL 1, traces through it, and answers the presence probe."""
    seen = on_the_link(client)
    assert seen["client"] == 0
    assert (seen["addresses"], seen["mtu"]) == (["10.20.0.5"], 1468)
    assert seen["gateway_answers"]
    assert seen["gateway_is_first_hop"]
    assert seen["present"]
    assert seen["evidence"] == ["arp", "dhcp", "ipv4"]
    assert seen["asked"][:2] == ["discover", "selecting"]


@covers("P60")
def test_a_rebooted_client_keeps_its_address_or_is_told_that_it_has_another() -> None:
    """INIT-REBOOT gets an ACK for the home address, a NAK for any other; a release is recognized."""
    seen = on_the_link("dhclient")
    assert seen["asked"] == [
        *("discover", "selecting"),
        "init-reboot",
        *("init-reboot", "discover", "selecting"),
        "release",
    ]
    assert seen["renumbered"] == ["10.20.0.9"]
    assert seen["released"]


def test_tshark_reads_our_frames_without_a_complaint(tmp_path: Path) -> None:
    """Every checksum, length and option of the frames that a MAG makes."""
    needs("tshark")
    configuration = HomeConfiguration(
        prefix=prefix("10.20.0.0/24"), gateway=GATEWAY, dns=(ipv4("10.20.0.53"),), mtu=1468
    )
    discover, foreign = (
        DhcpMessage(op=BOOTREQUEST, xid=5, chaddr=NODE, options=options)
        for options in (((53, b"\x01"), (61, b"\x01" + NODE)), ((53, b"\x03"), (50, bytes((10, 9, 9, 9)))))
    )
    replies = [answer(message, HOME, configuration, 600) for message in (discover, foreign)]
    frames = [encapsulate(reply, NODE, GATEWAY_MAC, GATEWAY) for reply in replies if reply is not None]
    asked = Arp(
        operation=REQUEST,
        sender_mac=NODE,
        sender_address=HOME,
        target_mac=mac("00:00:00:00:00:00"),
        target_address=GATEWAY,
    )
    answered = arp_answer(
        asked,
        NODE,
        home_address=HOME,
        prefix=configuration.prefix,
        gateway=GATEWAY,
        gateway_mac=GATEWAY_MAC,
    )
    assert isinstance(answered, bytes)
    frames += [answered, arp_probe(HOME, NODE, GATEWAY, GATEWAY_MAC)]
    original = Ipv4Packet.decode(udp_packet(Endpoint(HOME, 4000), Endpoint(ipv4("192.0.2.80"), 53), b""))
    for error in (time_exceeded(GATEWAY, original), fragmentation_needed(GATEWAY, original, 1468)):
        assert error is not None
        frames.append(ethernet_frame(NODE, GATEWAY_MAC, ETHERTYPE_IPV4, error))
    capture = tmp_path / "frames.pcap"
    records = [struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame for frame in frames]
    capture.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(records))
    fields = ["_ws.malformed", "ip.checksum.status", "udp.checksum.status", "icmp.checksum.status"]
    fields += ["dhcp.option.dhcp", "dhcp.ip.your", "arp.opcode", "icmp.mtu", "_ws.expert.message"]
    done = subprocess.run(
        ["tshark", "-r", str(capture), "-T", "fields", "-E", "occurrence=f"]
        + ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
        + [word for field in fields for word in ("-e", field)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert [line.split("\t") for line in done.stdout.splitlines()] == [
        ["", "1", "1", "", "2", "10.20.0.5", "", "", ""],
        ["", "1", "1", "", "6", "0.0.0.0", "", "", ""],
        ["", "", "", "", "", "", "2", "", ""],
        ["", "", "", "", "", "", "1", "", ""],
        ["", "1", "1", "1", "", "", "", "", ""],
        ["", "1", "1", "1", "", "", "", "1468", ""],
    ]
