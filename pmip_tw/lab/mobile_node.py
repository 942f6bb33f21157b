"""A mobile node: a host with an ordinary DHCP client and nothing of ours."""

import json
import re
import signal
from pathlib import Path
from typing import Final

from pmip_tw.lab.programs import Program, ProgramError, available, eventually, run
from pmip_tw.lab.topology import Namespace
from pmip_tw.lab.world import World

_BOUND: Final = {
    "dhclient": r"bound to (\d+\.\d+\.\d+\.\d+)",
    "udhcpc": r"lease of (\d+\.\d+\.\d+\.\d+) obtained",
}
_ASKS: Final = r"DHCPDISCOVER on|sending discover|Sending discover"


class MobileNode:
    """A host of the world, its first mobile node if not said otherwise. ``client``: the DHCP client that it
    uses, by default what is installed.

    ``config``: a dhclient.conf, "" for the one of the machine.
    """

    def __init__(
        self, world: World, host: Namespace | None = None, *, config: str = "", client: str = ""
    ) -> None:
        self._world = world
        self.host = world.mn if host is None else host
        installed = [client] if client else [program for program in _BOUND if available(program)]
        if not installed:
            raise ProgramError("no DHCP client: apt install isc-dhcp-client (or udhcpc)")
        self.client = installed[0]
        if self.client != "dhclient" and not client:
            world.notes.append(f"dhclient is not installed: the mobile node uses {self.client}")
        self._options = ["-4", "-d", "-v", *_files(self.host.name)]
        if config and self.client == "dhclient":
            path = Path(f"/etc/dhcp/dhclient-{self.host.name}.conf")  # /etc is ours, see isolation
            path.write_text(config)
            self._options += ["-cf", str(path)]
        self._running: Program | None = None
        self._bound_at = 0

    async def ask(self) -> None:
        """Start the DHCP client."""
        argv = (
            ["dhclient", *self._options, "eth0"]
            if self.client == "dhclient"
            else ["udhcpc", "-f", "-i", "eth0"]
        )
        self._running = await self._world.start(f"dhcp-client-{self.host.name}", self.host, *argv)

    async def bound(self, *, within: float = 20) -> str:
        """The address that the DHCP client got. ProgramError: none in that time."""
        if self._running is None:
            raise ProgramError("the DHCP client was not started")
        found = await self._running.said(_BOUND[self.client], within=within)
        self._bound_at = self._running.lines
        return found[1]

    async def renewed(self, *, within: float) -> str:
        """The address that the client got once more; a client that can be told to ask for it is told."""
        if self._running is None:
            raise ProgramError("the DHCP client was not started")
        since = self._bound_at
        if self.client == "udhcpc":
            since = self._running.lines
            self._running.send(signal.SIGUSR1)
        found = await self._running.said(_BOUND[self.client], within=within, since=since)
        return found[1]

    async def asked(self, *, times: int, within: float = 20) -> bool:
        """Wait until the DHCP client has looked for an address so many times; whether it did."""

        async def enough() -> bool:
            return self._running is not None and len(re.findall(_ASKS, self._running.text)) >= times

        return await eventually(enough, within=within)

    async def attach(self, *, within: float = 20) -> str:
        """Start the DHCP client; the address that it got, and has, with a way to everywhere."""
        await self.ask()
        address = await self.bound(within=within)

        async def configured() -> bool:
            return await self.addresses() == [address] and bool(self.host.show("route", "show", "default"))

        await eventually(configured, within=5)  # udhcpc speaks of its lease before it uses it
        return address

    async def addresses(self) -> list[str]:
        """The IPv4 addresses that its network card has now."""
        argv = self.host.command("ip", "-j", "-4", "address", "show", "dev", "eth0")
        _, out, _ = await run(argv)
        return [one["local"] for link in json.loads(out) for one in link.get("addr_info", ())]

    async def release(self) -> None:
        """Give the address back, as ``dhclient -r`` does; the client has ended then."""
        if self._running is None:
            raise ProgramError("the DHCP client was not started")
        await self._find_gateway()
        if self.client == "dhclient":
            argv = ["dhclient", *self._options, "-r", "eth0"]
            releasing = await self._world.start(f"dhcp-release-{self.host.name}", self.host, *argv)
            await releasing.ended(within=10)
            if not re.search(r"DHCPRELEASE", releasing.text):
                raise ProgramError(f"dhclient -r released nothing: {releasing.text[-300:]}")
        else:
            self._running.send(signal.SIGUSR2)
            await self._running.said("entering released state|Entering released state", within=10)
        await self._running.stop()

    async def stop(self) -> None:
        """The client ends without a word; its address stays."""
        if self._running is not None:
            await self._running.stop(signal.SIGKILL)

    async def _find_gateway(self) -> None:
        """Have the default gateway's MAC address, as every host has that has used its network.

        A client sends its DHCPRELEASE once and takes the address away at once: if the gateway has to be found by ARP
        for it, and answers a moment late, the message is lost with the address.
        """
        host = self.host
        _, out, _ = await run(host.command("ip", "-j", "-4", "route", "show", "default"))
        gateways = {route["gateway"] for route in json.loads(out) if "gateway" in route}

        async def known() -> bool:
            _, out, _ = await run(host.command("ip", "-j", "-4", "neigh", "show", "dev", "eth0"))
            return gateways <= {neighbor["dst"] for neighbor in json.loads(out) if "lladdr" in neighbor}

        if not await known():
            for gateway in gateways:
                await run(host.command("ip", "neigh", "replace", gateway, "dev", "eth0", "use"))
            await eventually(known, within=5)


def _files(host: str) -> list[str]:
    """Where dhclient keeps its lease and its process id: each host its own, for they share one disk.

    Mandatory access control lets it write under such names only.
    """
    return ["-lf", f"/var/lib/dhcp/dhclient-{host}.leases", "-pf", f"/run/dhclient-{host}.pid"]
