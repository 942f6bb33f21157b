"""What the composition roots make of settings."""

from pathlib import Path

import pytest

from pmip_tw.config.load import load
from pmip_tw.config.settings import MagSettings
from pmip_tw.services.mag import policy_of

CONF = Path(__file__).parents[2] / "conf"


@pytest.mark.parametrize(
    ("text", "mtu"),
    [
        ("", None),
        ("advertise_mtu = true", 1468),
        ('advertise_mtu = true\nnat_traversal = "off"', 1480),
        ('advertise_mtu = true\nencapsulation = "gre"\ngre_key = "own"\ngre_key_with_d = true', 1460),
        ('advertise_mtu = true\nencapsulation = "gre"\nnat_traversal = "off"', 1476),
        ('advertise_mtu = true\nencapsulation = "minimal"', 1468),
    ],
)
def test_the_mtu_that_dhcp_tells(tmp_path: Path, text: str, mtu: int | None) -> None:
    """D26: what the largest encapsulation in use leaves of 1500 octets, if it is to be told."""
    path = tmp_path / "mag.toml"
    path.write_text((CONF / "mag.toml").read_text().replace("[mag]", f"[mag]\n{text}", 1))
    settings = load(path)
    assert isinstance(settings, MagSettings)
    [link] = policy_of(settings).home_links
    assert link.mtu == mtu
