"""Byte-exact vectors, made by other implementations (each file's "source" says which)."""

import json
from pathlib import Path
from typing import Any


def vectors(name: str) -> list[dict[str, Any]]:
    """The vectors of ``tests/vectors/<name>.json``."""
    return json.loads((Path(__file__).parent / f"{name}.json").read_text())["vectors"]
