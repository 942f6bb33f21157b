"""Network namespaces and links between them, by iproute2.

Everything is made inside the private world (``isolation``), so that names are ours and nothing needs to be undone.
"""

import subprocess
from collections.abc import Iterable
from typing import Final

import attrs

from pmip_tw.errors import PmipError

_EAPOL: Final = 1 << 3
"""The kernel's mask of link-local groups that a bridge forwards after all: 01:80:c2:00:00:03."""


class TopologyError(PmipError):
    """A namespace or link could not be made; the text has the command and what it said."""


def _ip(*arguments: str, lines: Iterable[str] = ()) -> str:
    command = ["ip", *arguments]
    text = "".join(f"{line}\n" for line in lines)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise TopologyError(f"{' '.join(command)}: {done.stderr.strip()}\n{text}".rstrip())
    return done.stdout


@attrs.frozen(slots=True)
class Namespace:
    """A host of the laboratory."""

    name: str

    def command(self, *argv: str) -> list[str]:
        """``argv``, to be run on this host."""
        return ["ip", "netns", "exec", self.name, *argv]

    def ip(self, *commands: str) -> None:
        """Run ``ip`` commands ("link set eth0 up") on this host, all in one process."""
        _ip("-n", self.name, "-batch", "-", lines=commands)

    def show(self, *arguments: str) -> str:
        """What ``ip`` says about this host: ``show("-j", "address")``."""
        return _ip("-n", self.name, *arguments)

    def run(self, *argv: str, text: str = "") -> None:
        """Run a short program on this host, with ``text`` as its input."""
        done = subprocess.run(self.command(*argv), input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise TopologyError(f"{self.name}: {' '.join(argv)}: {done.stderr.strip()}")

    def set_sysctl(self, settings: dict[str, str]) -> None:
        """Kernel settings of this host: ``{"net/ipv4/ip_forward": "1"}``."""
        self.run(
            "sh", "-ec", "; ".join(f"echo {value} >/proc/sys/{name}" for name, value in settings.items())
        )


class Network:
    """The namespaces made so far."""

    def __init__(self) -> None:
        self.interfaces: dict[str, set[str]] = {}
        """By the name of the host: what was made here."""

    def host(self, name: str, *, ipv6: bool = False) -> Namespace:
        """A new host with its loopback interface up. Without ``ipv6`` it stays silent on that."""
        _ip("netns", "add", name)
        made = Namespace(name)
        self.interfaces[name] = {"lo"}
        if not ipv6:
            made.set_sysctl({f"net/ipv6/conf/{which}/disable_ipv6": "1" for which in ("all", "default")})
        made.ip("link set lo up")
        return made

    def link(self, one: Namespace, one_name: str, other: Namespace, other_name: str) -> None:
        """A cable; both ends are up."""
        _ip(
            "link", "add", one_name, "netns", one.name, "type", "veth",
            "peer", "name", other_name, "netns", other.name,
        )  # fmt: skip
        for host, interface in ((one, one_name), (other, other_name)):
            host.ip(f"link set {interface} up")
            self.interfaces[host.name].add(interface)

    def bridge(
        self, host: Namespace, name: str, ports: Iterable[str] = (), *, passes_eapol: bool = False
    ) -> None:
        """A bridge that only forwards frames: no spanning tree, no multicast of its own. ``passes_eapol``: also those
        of 802.1X, which a bridge that keeps to the standard does not."""
        mask = _EAPOL if passes_eapol else 0
        host.ip(
            f"link add {name} type bridge mcast_snooping 0 stp_state 0 group_fwd_mask {mask}",
            f"link set {name} up",
            *(f"link set {port} master {name}" for port in ports),
        )


class Cells:
    """Radio cells: a switch with a bridge per cell, and mobile nodes' ports that move between them.

    A move is one change inside the switch: neither the mobile node nor the access gateway gets a link event, as
    with radio, and what is sent in the instant between is lost.
    """

    def __init__(self, network: Network, switch: Namespace) -> None:
        self._network = network
        self._switch = switch
        self._cells: set[str] = set()

    def add_cell(self, name: str, gateway: Namespace, interface: str) -> None:
        """A cell served by ``gateway`` on its ``interface``, which stays without an address."""
        port = f"to-{gateway.name}"
        self._network.link(gateway, interface, self._switch, port)
        self._network.bridge(self._switch, name, [port], passes_eapol=True)
        self._cells.add(name)

    def add_node(self, node: Namespace, interface: str, mac: str, cell: str) -> None:
        """A mobile node with a network card ``interface`` of address ``mac``, at first in ``cell``."""
        port = f"to-{node.name}"
        self._network.link(node, interface, self._switch, port)
        node.ip(
            f"link set {interface} down", f"link set {interface} address {mac}", f"link set {interface} up"
        )
        self.move(node, cell)

    def move(self, node: Namespace, cell: str) -> None:
        if cell not in self._cells:
            raise TopologyError(f"there is no cell {cell}")
        self._switch.ip(f"link set to-{node.name} master {cell}")
