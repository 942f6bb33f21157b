"""What every IUplink does: the twin, and rtnetlink in a private network namespace."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from pmip_tw.addresses import Ipv4, ipv4, ipv4_text
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IUplink, IUplinkReceiver
from pmip_tw.net.uplink import NetlinkUplink
from pmip_tw.testing.uplink import FakeUplink
from tests.conformance import covers
from tests.forwarding.namespaces import Namespace, netlink, require_namespaces
from tests.loops import private_reactor, run_until

ONE, TWO = ipv4("192.0.2.1"), ipv4("198.51.100.7")

pytestmark = covers("P82")


@implementer(IUplinkReceiver)
class Told:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.addresses: list[Ipv4 | None] = []

    def uplink_changed(self, address: Ipv4 | None) -> None:
        self.addresses.append(address)


class World:
    """An uplink, what changes its address, and what lets the telling happen."""

    def __init__(
        self,
        uplink: IUplink,
        change: Callable[[Ipv4 | None], None],
        turn: Callable[[Callable[[], object]], None],
    ) -> None:
        self.uplink, self.change, self.turn = uplink, change, turn


@implementer(IUplink)
class Inside:
    """An uplink in a namespace, where the kernel must be asked from."""

    def __init__(self, uplink: NetlinkUplink, where: Namespace) -> None:
        self._uplink, self._where = uplink, where

    def address(self) -> Ipv4 | None:
        with self._where.entered():
            return self._uplink.address()

    def start(self, receiver: IUplinkReceiver) -> None:
        with self._where.entered():
            self._uplink.start(receiver)

    def stop(self) -> None:
        self._uplink.stop()


def in_namespace(stack: ExitStack) -> World:
    require_namespaces()
    reactor = stack.enter_context(private_reactor())
    machine, around = Namespace(), Namespace()
    stack.callback(machine.close)
    stack.callback(around.close)
    machine.pair("core0", around, "core1")

    def change(address: Ipv4 | None) -> None:
        with machine.entered(), netlink() as ip:
            index = ip.link_lookup(ifname="core0")[0]
            ip.flush_addr(index=index)
            if address is not None:
                ip.addr("add", index=index, address=ipv4_text(address), prefixlen=24)

    def turn(condition: Callable[[], object]) -> None:
        with machine.entered():
            run_until(reactor, condition)

    change(ONE)
    return World(Inside(NetlinkUplink(reactor, "core0"), machine), change, turn)


@pytest.fixture(params=["memory", "netlink"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """An uplink that has the address ONE."""
    with ExitStack() as stack:
        if request.param == "netlink":
            made = in_namespace(stack)
        else:
            twin = FakeUplink(ONE)
            made = World(twin, twin.change, lambda condition: None)
        yield made
        made.uplink.stop()


def test_it_is_one(world: World) -> None:
    verifyObject(IUplink, world.uplink)
    assert world.uplink.address() == ONE


def test_changes_are_told_in_order_and_only_changes(world: World) -> None:
    told = Told()
    world.uplink.start(told)
    assert told.addresses == []
    world.change(TWO)
    world.turn(lambda: TWO in told.addresses)
    world.change(None)
    world.turn(lambda: told.addresses[-1:] == [None])
    world.change(ONE)
    world.turn(lambda: told.addresses[-1:] == [ONE])
    assert [address for address in told.addresses if address] == [TWO, ONE]
    assert world.uplink.address() == ONE


def test_once_stopped_nothing_is_told(world: World) -> None:
    told = Told()
    world.uplink.start(told)
    world.uplink.stop()
    world.uplink.stop()
    world.change(TWO)
    world.turn(lambda: True)
    assert told.addresses == []
    assert world.uplink.address() == TWO


class TestNetlink:
    """What only a real machine has."""

    def test_an_interface_that_vanishes_takes_its_address_along(self) -> None:
        with ExitStack() as stack:
            world = in_namespace(stack)
            told = Told()
            world.uplink.start(told)
            world.uplink._where.delete("core0")
            world.turn(lambda: told.addresses)
            assert told.addresses == [None]
            world.uplink.stop()

    def test_a_name_that_no_interface_has(self) -> None:
        with ExitStack() as stack:
            reactor = stack.enter_context(private_reactor())
            with pytest.raises(PmipError, match="there is no interface 'core9'; this machine has"):
                NetlinkUplink(reactor, "core9").start(Told())
