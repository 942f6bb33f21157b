"""What cannot be in [[mag.radius.servers]], each told with its line and what to do."""

from pathlib import Path

import pytest

from tests.config.files import MAG, mistakes

SERVER = MAG.index("[[mag.radius")
BEFORE = MAG[:SERVER]
UDP = '[[mag.radius.servers]]\naddress = "198.51.100.53"\nsecret = "text:change-me"\n'
TLS = '[[mag.radius.servers]]\naddress = "198.51.100.53"\ntransport = "tls"\nca_file = "/etc/pmip/ca.pem"\n'


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        (UDP + "purposes = []", ['12:1: purposes: "authentication", "accounting" or both']),
        (UDP + 'ca_file = "/etc/ca.pem"', ['12:1: ca_file: is for transport = "tls"']),
        (
            UDP + 'ca_file = "ca.pem"\ntransport = "tls"',
            ["12:1: ca_file: must be a file with its whole path"],
        ),
        (TLS + "port = 2083", ["13:1: port: with TLS all is asked at radsec_port"]),
        (TLS + "max_outstanding = 3", ["13:1: max_outstanding: with TLS that is window"]),
        (TLS + "window = 256", ["13:1: window: must be from 1 to 255, not 256"]),
        (TLS + 'key_file = "/etc/key.pem"', ["9:1: certificate_file and key_file are needed together"]),
        (TLS.replace("ca_file", "#"), ["9:1: missing setting 'ca_file': with TLS nobody is believed"]),
        (
            UDP + UDP.replace("change-me", "other"),
            ["13:1: address: the server 198.51.100.53:1812", "14:1: secret:"],
        ),
        (
            UDP + UDP.replace("change-me", "other") + "port = 1645",
            ["14:1: secret: 198.51.100.53:1813 has another one already, and can have one only"],
        ),
        (
            UDP + 'purposes = ["accounting"]',
            ['servers: none of them has "authentication" among its purposes'],
        ),
        (UDP + 'purposes = ["accounts"]', ["'accounts' is none of authentication, accounting"]),
        (UDP + "[mag.radius]\nwatchdog = 1", ["watchdog: must be from 6 to 3600, not 1"]),
    ],
)
def test_one_mistake(servers: str, said: list[str], tmp_path: Path) -> None:
    found = mistakes(tmp_path, BEFORE + servers)
    assert found and all(any(text in one for one in found) for text in said), found
    assert not any("change-me" in one for one in found)


@pytest.mark.parametrize(
    "servers",
    [
        TLS,
        TLS + 'secret = "text:radsec"\n',
        UDP + TLS,
        UDP + UDP + "port = 1645",
        UDP + 'status_server = "no"',
    ],
)
def test_what_can_be(servers: str, tmp_path: Path) -> None:
    assert mistakes(tmp_path, BEFORE + servers) == []
