"""Rules of the LMA's plane that no packet shows."""

from collections.abc import Callable

from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.forwarding.anchor_switch import AnchorSwitch
from pmip_tw.forwarding.drops import Drops
from pmip_tw.mobility.tunnels import AlikeEntries, AnchorEntry, AnchorKey, Tunnel
from tests.conformance import covers

LMA, MAG, OTHER_MAG = ipv4("192.0.2.1"), ipv4("198.51.100.1"), ipv4("198.51.100.2")
HOMES = [Ipv4(ipv4("10.1.0.2") + number) for number in range(3)]


class Plane:
    """``opened``: the far ends of the tunnels that were opened since last asked."""

    def __init__(self) -> None:
        self._opened: list[Ipv4] = []
        self.switch = AnchorSwitch(
            local=LMA, open_path=self._open, path_mtu=lambda tunnel: 1500, dropped=Drops()
        )
        self.switch.add_domain(
            "",
            to_host=lambda packet: True,
            answer=lambda packet: None,
            speaker=lambda home_address: LMA,
            gateway=lambda home_address: LMA,
        )

    def _open(self, tunnel: Tunnel) -> Callable[[bytes], bool]:
        self._opened.append(tunnel.remote)
        return lambda packet: True

    def opened(self) -> list[Ipv4]:
        found, self._opened = self._opened, []
        return found

    def come(self, mag: Ipv4, *home_addresses: Ipv4) -> None:
        """All at once."""
        assert not self.switch.install_alike(AlikeEntries(Tunnel(local=LMA, remote=mag), "", home_addresses))

    def comes(self, mag: Ipv4, home_address: Ipv4) -> None:
        """Alone."""
        self.switch.install(AnchorEntry(home_address=home_address, tunnel=Tunnel(local=LMA, remote=mag)))

    def leaves(self, home_address: Ipv4) -> None:
        self.switch.remove(AnchorKey(home_address))


@covers("P42")
def test_a_tunnel_is_open_as_long_as_somebody_uses_it_however_he_came() -> None:
    plane = Plane()
    plane.come(MAG, *HOMES[:2])
    plane.comes(MAG, HOMES[2])
    assert plane.opened() == [MAG]
    # Those who came together move together, some of them a second time.
    plane.come(OTHER_MAG, *HOMES[:2])
    plane.come(OTHER_MAG, HOMES[0])
    plane.comes(MAG, HOMES[2])
    assert plane.opened() == [OTHER_MAG]
    # The last one leaves the first tunnel: it is opened anew for the next who needs it.
    plane.come(OTHER_MAG, HOMES[2])
    plane.come(MAG, HOMES[2])
    assert plane.opened() == [MAG]
    # One of two is still at the other.
    plane.leaves(HOMES[0])
    plane.come(OTHER_MAG, HOMES[0])
    assert plane.opened() == []
    for home_address in HOMES:
        plane.leaves(home_address)
    plane.come(MAG, *HOMES)
    plane.come(OTHER_MAG, *HOMES)
    assert plane.opened() == [MAG, OTHER_MAG]
