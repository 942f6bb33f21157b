"""Sends prepared packets at a steady rate; a process of its own:  python -m pmip_tw.lab.sending WHERE RATE FILE

WHERE is an interface, for whole Ethernet frames, or "ip", for whole IPv4 packets with any source. RATE is packets
per second. FILE holds the packets, each after its length (two octets). At the end it says how many it has sent, in
how many seconds, and how many the kernel did not take.

It imports nothing of ours and gives way only when it sends, so that it begins at once however busy the machine is.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

IP: Final = "ip"
_PAUSE: Final = 0.001


def _read(path: Path) -> list[bytes]:
    octets = path.read_bytes()
    packets = []
    at = 0
    while at < len(octets):
        end = at + 2 + int.from_bytes(octets[at : at + 2], "big")
        packets.append(octets[at + 2 : end])
        at = end
    return packets


def _opened(where: str) -> Callable[[bytes], object]:
    if where == IP:
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        return lambda packet: raw.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    link.bind((where, 0))
    return link.send


def main(arguments: Sequence[str]) -> int:
    where, rate, packets = arguments[0], float(arguments[1]), _read(Path(arguments[2]))
    send = _opened(where)
    # A crowd has processors of its own; here it must not take them from those who are to bear it.
    os.nice(5)
    print("sending", flush=True)
    sent = lost = 0
    began = time.monotonic()
    while sent < len(packets):
        due = min(len(packets), int((time.monotonic() - began) * rate) + 1)
        for packet in packets[sent:due]:
            try:
                send(packet)
            except OSError:
                lost += 1
        sent = due
        time.sleep(_PAUSE)  # the pace itself: there is no event to wait for
    print(f"sent {sent} in {time.monotonic() - began:.3f} s, lost {lost}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
