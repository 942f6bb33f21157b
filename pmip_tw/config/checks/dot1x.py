"""What ``authentication`` of access interfaces needs."""

from collections.abc import Iterator

from pmip_tw.config.checks.aaa import asks_servers
from pmip_tw.config.draft import Draft
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.dot1x import PortAuthentication
from pmip_tw.config.structure import Mistake

BY_EAP = ("802.1x", "802.1x-or-mac")


def dot1x_mistakes(draft: Draft, mag: Path) -> Iterator[Mistake]:
    """EAP is between nodes and AAA servers."""
    alone = draft.has((*mag, "local")) and not asks_servers(draft, mag)
    for access in draft.elements((*mag, "access")):
        port: Path = (*access, "authentication")
        if alone and draft.value(port, PortAuthentication) in BY_EAP:
            text = (
                "a file of users knows no EAP: 802.1X needs AAA servers, besides [mag.local] or in its place"
            )
            yield Mistake(port, f"authentication: {text}")
