"""What may be wrong with ``[mag.accounting]`` and ``[lma.accounting]``."""

from collections.abc import Iterator

from pmip_tw.config.draft import Draft
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.radius import Purpose
from pmip_tw.config.structure import Mistake

LEAST_INTERIM = 60


def accounting_mistakes(draft: Draft, role: Path) -> Iterator[Mistake]:
    """``role``: its table. Records that nobody would take, and files that cannot be what they are to be."""
    accounting: Path = (*role, "accounting")
    name = ".".join(map(str, role))
    interval = draft.value((*accounting, "interim_interval"), int)
    if interval is not None and 0 < interval < LEAST_INTERIM:
        text = f"interim_interval: must be at least {LEAST_INTERIM} seconds, or 0 for none, not {interval}"
        yield Mistake((*accounting, "interim_interval"), text)
    if not draft.value((*accounting, "enabled"), bool):
        return
    if not _somebody_takes_it(draft, role):
        text = (
            f'enabled: needs a server that takes accounting: [[{name}.radius.servers]] with "accounting" among'
            f" its purposes, or [{name}.diameter] with it"
        )
        yield Mistake((*accounting, "enabled"), text)
    spool = draft.value((*accounting, "spool"), str)
    if spool == "":
        text = "spool: must be a file: what waits for AAA is kept there"
        yield Mistake((*accounting, "spool"), text)
    if spool and spool == draft.value((*role, "store"), str):
        yield Mistake((*accounting, "spool"), "spool: store is in that file, and each needs one of its own")


def _somebody_takes_it(draft: Draft, role: Path) -> bool:
    """Purposes that cannot be read are another mistake, and so is a server without them."""
    tables = [*draft.elements((*role, "radius", "servers")), (*role, "diameter")]
    found = [
        draft.value((*path, "purposes"), tuple[Purpose, ...]) if draft.has((*path, "purposes")) else None
        for path in tables
        if draft.has(path)
    ]
    return any(purposes is None or "accounting" in purposes for purposes in found)
