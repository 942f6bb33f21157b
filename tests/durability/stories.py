"""Stories of one LMA in a private world, told without any load."""

from collections.abc import Callable

import pytest

from bench.world import Place, in_private_world
from pmip_tw.lab.isolation import NotIsolated
from tests.programs import require, require_tun

Story = Callable[[Place], None]


def told(story: Story) -> None:
    """It ends well. Skips where no private world can be made."""
    require("ip", "mount")
    require_tun()

    def inside(place: Place) -> int:
        story(place)
        return 0

    try:
        status = in_private_world(inside)
    except NotIsolated as error:
        pytest.skip(str(error))
    assert status == 0, "the story broke off; its traceback is on the error output"
