"""IIpsecPolicies: the kernel, in a network of its own, and the twin."""

import subprocess
from collections.abc import Callable, Iterator

import pytest

from pmip_tw.addresses import Ipv4, ipv4, ipv4_text
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IIpsecPolicies
from pmip_tw.net.ipsec_policies import KernelPolicies
from pmip_tw.testing.ipsec_policies import FakePolicies
from tests.conformance import covers
from tests.namespaces import private_network
from tests.rights import no_rights

PEER, OTHER, LOCAL = ipv4("198.51.100.10"), ipv4("198.51.100.11"), ipv4("192.0.2.1")

Protect = Callable[[Ipv4], None]


def add(
    selector: str,
    *,
    direction: str = "in",
    mark: str = "",
    priority: int = 0,
    interface_id: str = "",
    template: str | None = "proto esp mode transport",
) -> None:
    """``ip xfrm policy add``, as an operator does it."""
    command = f"ip xfrm policy add {selector} dir {direction} {mark} priority {priority} {interface_id}"
    if template is not None:
        command += f" tmpl src {ipv4_text(PEER)} dst {ipv4_text(LOCAL)} {template}"
    done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no IPsec policies here: {done.stderr.strip()}")


def signalling_of(peer: Ipv4) -> str:
    return f"src {ipv4_text(peer)}/32 dst {ipv4_text(LOCAL)}/32 proto udp dport 434"


@pytest.fixture(params=["kernel", "twin"])
def policies(request: pytest.FixtureRequest) -> Iterator[tuple[IIpsecPolicies, Protect]]:
    if request.param == "twin":
        twin = FakePolicies()
        yield twin, lambda peer: twin.protected.add((peer, LOCAL))
        return
    with private_network():
        yield KernelPolicies(), lambda peer: add(signalling_of(peer))


@covers("P73", "P74")
def test_only_who_has_a_policy_is_protected(policies: tuple[IIpsecPolicies, Protect]) -> None:
    provider, protect = policies
    assert not provider.requires_esp(PEER, LOCAL)
    protect(PEER)
    assert provider.requires_esp(PEER, LOCAL)
    assert not provider.requires_esp(OTHER, LOCAL)
    assert not provider.requires_esp(PEER, OTHER)


SOME = "src 198.51.100.0/24 dst 192.0.2.1/32"
WHOLE = signalling_of(PEER)


@covers("P74")
@pytest.mark.parametrize(
    ("policy", "protected"),
    [
        ([WHOLE], True),
        ([SOME], True),
        (["src 0.0.0.0/0 dst 0.0.0.0/0"], True),
        (["src 198.51.100.11/32 dst 192.0.2.1/32"], False),
        (["src 198.51.100.10/32 dst 192.0.2.2/32"], False),
        ([f"{SOME} proto tcp"], False),
        ([f"{SOME} proto udp dport 435"], False),
        ([f"{SOME} proto udp sport 434"], False),
    ],
)
def test_what_a_policy_must_cover(policy: list[str], protected: bool) -> None:
    with private_network():
        for one in policy:
            add(one)
        assert KernelPolicies().requires_esp(PEER, LOCAL) is protected


@covers("P74")
@pytest.mark.parametrize(
    ("direction", "template"),
    [
        ("out", "proto esp mode transport"),
        ("fwd", "proto esp mode transport"),
        ("in", "proto ah mode transport"),
        ("in", "proto esp mode transport level use"),
        ("in", None),
    ],
)
def test_what_does_not_demand_esp(direction: str, template: str | None) -> None:
    with private_network():
        add(WHOLE, direction=direction, template=template)
        assert not KernelPolicies().requires_esp(PEER, LOCAL)


@covers("P74")
@pytest.mark.parametrize(
    ("selector", "further"),
    [(f"{WHOLE} dev lo", {}), (WHOLE, {"mark": "mark 7 mask 255"}), (WHOLE, {"interface_id": "if_id 9"})],
    ids=["by one interface", "marked", "of one XFRM interface"],
)
def test_a_policy_for_some_packets_demands_nothing_of_the_others(
    selector: str, further: dict[str, str]
) -> None:
    with private_network():
        add(selector, **further)
        assert not KernelPolicies().requires_esp(PEER, LOCAL)
        add(SOME, priority=1)
        assert KernelPolicies().requires_esp(PEER, LOCAL)


@covers("P74")
@pytest.mark.parametrize("narrower", ["", "proto udp sport 500"])
@pytest.mark.parametrize(("priority", "protected"), [(1, False), (99, True)])
def test_the_first_one_that_fits_decides(narrower: str, priority: int, protected: bool) -> None:
    """A way past it with a better priority is a way past it, however narrow."""
    with private_network():
        add(f"{SOME} {narrower}", priority=priority, template=None)
        add(WHOLE, priority=10)
        assert KernelPolicies().requires_esp(PEER, LOCAL) is protected


def test_many_policies_are_all_read() -> None:
    """More than one datagram of the kernel's answer."""
    with private_network():
        add(f"src 203.0.113.1/32 dst {ipv4_text(LOCAL)}/32")
        batch = "".join(
            f"xfrm policy add src 203.0.{number // 250}.{number % 250 + 2}/32 dst 192.0.2.1/32 dir in "
            "tmpl src 198.51.100.10 dst 192.0.2.1 proto esp mode transport\n"
            for number in range(2000)
        )
        subprocess.run(["ip", "-batch", "-"], input=batch, text=True, check=True)
        add(WHOLE)
        assert KernelPolicies().requires_esp(PEER, LOCAL)


def test_who_may_not_ask_is_told_why() -> None:
    """The kernel's word for it, not netlink's."""
    with private_network(), no_rights(), pytest.raises(PmipError, match="read: Operation not permitted"):
        KernelPolicies().requires_esp(PEER, LOCAL)
