"""What holds for every test."""

from collections.abc import Iterator

import pytest

from tests.alone import TESTS
from tests.order import place

pytest_plugins = ["tests.leaks"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """With all its fixtures."""
    with TESTS.beside_others():
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Processes take files in this order."""
    items.sort(key=lambda item: place(item.nodeid.partition("::")[0]))
