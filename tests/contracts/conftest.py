"""Planes under contract, each as the twin and as the TUN provider with real packets."""

from collections.abc import Iterator

import pytest

from ..forwarding.namespaces import require_namespaces
from ..forwarding.worlds import (
    MemoryAccess,
    MemoryAnchor,
    MemoryRealms,
    TunAccessWorld,
    TunAnchorWorld,
    TunRealms,
)


@pytest.fixture(params=["memory", "tun"])
def access(request: pytest.FixtureRequest) -> Iterator[MemoryAccess | TunAccessWorld]:
    """A started plane of a MAG with two access ports."""
    if request.param == "tun":
        require_namespaces()
    world = MemoryAccess() if request.param == "memory" else TunAccessWorld()
    yield world
    world.close()


@pytest.fixture(params=["memory", "tun"])
def anchor(request: pytest.FixtureRequest) -> Iterator[MemoryAnchor | TunAnchorWorld]:
    """A started plane of an LMA for 10.1.0.0/24."""
    if request.param == "tun":
        require_namespaces()
    world = MemoryAnchor() if request.param == "memory" else TunAnchorWorld()
    yield world
    world.close()


@pytest.fixture(params=["memory", "tun"])
def realms(request: pytest.FixtureRequest) -> Iterator[MemoryRealms | TunRealms]:
    """A started plane of an LMA with two address spaces, 10.1.0.0/24 in both."""
    if request.param == "tun":
        require_namespaces()
    world = MemoryRealms() if request.param == "memory" else TunRealms()
    yield world
    world.close()
