"""What only the memory twin of a forwarding plane can do: fail when it is told to."""

import pytest

from pmip_tw.errors import ForwardingError

from ..forwarding.worlds import MemoryAccess
from .entries import entry


class TestMemoryTwin:
    """What only the twin can do."""

    def test_the_next_install_can_be_made_to_fail_once(self) -> None:
        world = MemoryAccess()
        world.plane.fail_next_install("map full")
        with pytest.raises(ForwardingError, match="map full"):
            world.plane.install(entry())
        assert world.plane.snapshot() == ()
        world.plane.install(entry())
        assert world.plane.snapshot() == (entry(),)
