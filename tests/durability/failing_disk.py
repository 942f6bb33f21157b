"""A disk that fails when it is told to, for a process that is started with ``environment``."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

_LIBRARY = Path(__file__).parent / "failing" / "disk.c"


class FailingDisk:
    """All files whose paths begin with ``files`` are on it. What it is made of lies in ``directory``. Needs cc."""

    def __init__(self, directory: Path, files: str) -> None:
        self._files = files
        self._orders = directory / "orders"
        self._library = directory / "disk.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(self._library), str(_LIBRARY)], check=True)

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "LD_PRELOAD": str(self._library),
            "FAILING_DISK": self._files,
            "FAILING_DISK_ORDERS": str(self._orders),
        }

    def fail(self, what: str, number: int) -> None:
        """From now on ``what``, "write" or "sync", fails with an error ``number``."""
        self._orders.write_text(f"{what} {number}")

    def work(self) -> None:
        self._orders.unlink()
