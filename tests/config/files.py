"""Files without a mistake, to be changed, and what is reported of the changed ones."""

from pathlib import Path

from pmip_tw.config.load import load
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.errors import ConfigurationError

MAG = """\
[mag]
address = "198.51.100.10"
identity = "mag1"
access = [{ interface = "eth1" }]

[[mag.home_prefixes]]
prefix = "10.1.0.0/24"

[[mag.radius.servers]]
address = "198.51.100.53"
secret = "text:change-me"
"""

AAA = """
[[mag.radius.servers]]
address = "198.51.100.53"
secret = "text:secret"
"""

LMA = """\
[lma]
address = "192.0.2.1"
identity = "lma1"

[[lma.pools]]
prefix = "10.1.0.0/24"
exclude = ["10.1.0.9"]

[[lma.mobile_nodes]]
nai = "mn1@example.net"
spi = 4096
key = "text:0123456789abcdef"
home_address = "10.1.0.50"
"""

NODE_2 = """\
[[lma.mobile_nodes]]
nai = "mn2@example.net"
spi = 4097
key = "text:0123456789abcdef"
"""

USERS = """\
[[users]]
mac = "02:00:00:00:00:01"
nai = "mn1@example.net"
lma = "192.0.2.1"
spi = 4096
key = "text:0123456789abcdef"
"""


def two_ports(directory: Path, authentication: str, *tables: str) -> Path:
    """A MAG's file with ``authentication``, a line, at the first of its ports, and ``tables``; and a file of nobody."""
    (directory / "users.toml").write_text("")
    path = directory / "mag.toml"
    path.write_text(
        f"""
        [mag]
        address = "198.51.100.10"
        identity = "mag1"
        [[mag.access]]
        interface = "eth1"
        {authentication}
        [[mag.access]]
        interface = "eth2"
        [[mag.home_prefixes]]
        prefix = "10.1.0.0/24"
        """
        + "\n".join(tables)
    )
    return path


def mag_settings(path: Path) -> MagSettings:
    loaded = load(path)
    assert isinstance(loaded, MagSettings)
    return loaded


def mistakes(directory: Path, text: str | bytes, users: str | None = None) -> list[str]:
    """What ``load`` reports, without the directory; [] if it loads."""
    file = directory / "mag.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    if users is not None:
        (directory / "users.toml").write_text(users)
    try:
        load(file)
    except ConfigurationError as error:
        assert str(error) == "\n".join(error.mistakes)
        return [line.replace(f"{directory}/", "") for line in error.mistakes]
    return []
