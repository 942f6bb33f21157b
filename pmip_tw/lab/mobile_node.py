"""A mobile node: a host with an ordinary DHCP client and nothing of ours."""

import json
import re
import signal
from typing import Final

from pmip_tw.lab.programs import Program, ProgramError, available, run
from pmip_tw.lab.world import World

_BOUND: Final = {
    "dhclient": r"bound to (\d+\.\d+\.\d+\.\d+)",
    "udhcpc": r"lease of (\d+\.\d+\.\d+\.\d+) obtained",
}


class MobileNode:
    """The world's mobile node. ``client``: the DHCP client that it uses."""

    def __init__(self, world: World) -> None:
        self._world = world
        installed = [program for program in _BOUND if available(program)]
        if not installed:
            raise ProgramError("no DHCP client: apt install isc-dhcp-client (or udhcpc)")
        self.client = installed[0]
        if self.client != "dhclient":
            world.notes.append(f"dhclient is not installed: the mobile node uses {self.client}")
        self._running: Program | None = None

    async def attach(self, *, within: float = 20) -> str:
        """Start the DHCP client; the address that it got."""
        argv = (
            ["dhclient", "-4", "-d", "-v", "eth0"]
            if self.client == "dhclient"
            else ["udhcpc", "-f", "-i", "eth0"]
        )
        self._running = await self._world.start("dhcp-client", self._world.mn, *argv)
        found = await self._running.said(_BOUND[self.client], within=within)
        return found[1]

    async def addresses(self) -> list[str]:
        """The IPv4 addresses that its network card has now."""
        argv = self._world.mn.command("ip", "-j", "-4", "address", "show", "dev", "eth0")
        _, out, _ = await run(argv)
        return [one["local"] for link in json.loads(out) for one in link.get("addr_info", ())]

    async def release(self) -> None:
        """Give the address back, as ``dhclient -r`` does; the client has ended then."""
        if self._running is None:
            raise ProgramError("the DHCP client was not started")
        if self.client == "dhclient":
            releasing = await self._world.start(
                "dhcp-release", self._world.mn, "dhclient", "-4", "-d", "-v", "-r", "eth0"
            )
            await releasing.ended(within=10)
            if not re.search(r"DHCPRELEASE", releasing.text):
                raise ProgramError(f"dhclient -r released nothing: {releasing.text[-300:]}")
        else:
            self._running.send(signal.SIGUSR2)
            await self._running.said("entering released state|Entering released state", within=10)
        await self._running.stop()
