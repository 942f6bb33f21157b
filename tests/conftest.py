"""What holds for every test."""

from collections.abc import Iterator

import pytest

from tests.alone import beside_others

pytest_plugins = ["tests.leaks"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """With all its fixtures."""
    with beside_others():
        return (yield)
