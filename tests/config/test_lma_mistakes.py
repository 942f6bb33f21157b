"""Every kind of mistake in an LMA's file, with the exact line that the operator reads."""

from pathlib import Path

import pytest

from .files import LMA, NODE_2, mistakes


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (
            "change-me-SECRETSECRET",
            "a key is written hex:0011... or text:..., so that its length is beyond doubt",
        ),
        (
            "hex:SECRETSECRET",
            "the digits after hex: are not pairs of hexadecimal digits",
        ),
        ("text:SECRET", "is too short (6 of at least 8 octets, better 16)"),
        ("hex:5E", "is too short (1 of at least 8 octets, better 16)"),
    ],
)
def test_a_wrong_key_is_never_repeated(written: str, text: str, tmp_path: Path) -> None:
    found = mistakes(tmp_path, LMA.replace("text:0123456789abcdef", written))
    assert found == [f"mag.toml:12:1: key: {text}"]
    assert "SECRET" not in found[0]


LMA_CHANGED = [
    (
        'identity = "lma1"',
        'identity = "lma1"\nbroadcast_addresses = ["192.0.2.255", "192.0.2.1", "192.0.2.255"]',
        [
            "4:39: broadcast_addresses[1]: 192.0.2.1 is this LMA's own address, or named twice",
            "4:52: broadcast_addresses[2]: 192.0.2.255 is this LMA's own address, or named twice",
        ],
    ),
    ("4096", "255", ["11:1: spi: must be from 256 to 4294967295, not 255"]),
    ("4096", "0x100000000", ["11:1: spi: must be from 256 to 4294967295, not 4294967296"]),
    (
        '"mn1@example.net"',
        '"mn1 @x"',
        ["10:1: nai: 'mn1 @x' is not a network access identifier (such as mn1@example.net)"],
    ),
    (
        '"mn1@example.net"',
        '"mn1@"',
        ["10:1: nai: 'mn1@' is not a network access identifier (such as mn1@example.net)"],
    ),
    (
        "spi = 4096",
        'spi = 4096\nalgorithm = "hmac-sha512"',
        [
            "12:1: algorithm: 'hmac-sha512' is none of hmac-md5, hmac-sha1, hmac-sha256, keyed-md5, keyed-md5-rfc2002"
            " - did you mean 'hmac-sha1'?"
        ],
    ),
    ('"10.1.0.50"', '"10.2.0.50"', ["13:1: home_address: 10.2.0.50 is in none of the pools"]),
    ('"10.1.0.50"', '"10.1.0.0"', ["13:1: home_address: 10.1.0.0 is the network address of 10.1.0.0/24"]),
    ('"10.1.0.50"', '"10.1.0.1"', ["13:1: home_address: 10.1.0.1 is the gateway address of 10.1.0.0/24"]),
    (
        '"10.1.0.50"',
        '"10.1.0.255"',
        ["13:1: home_address: 10.1.0.255 is the broadcast address of 10.1.0.0/24"],
    ),
    (
        '"10.1.0.50"',
        '"10.1.0.9"',
        ["13:1: home_address: 10.1.0.9 is excluded from 10.1.0.0/24 on line 7"],
    ),
    ('["10.1.0.9"]', '["10.9.0.9"]', ["7:12: exclude[0]: 10.9.0.9 is not in 10.1.0.0/24"]),
    (
        "[[lma.mobile_nodes]]\n",
        '[[lma.pools]]\nprefix = "10.0.0.0/8"\n\n[[lma.mobile_nodes]]\n',
        ["10:1: prefix: 10.0.0.0/8 overlaps 10.1.0.0/24 on line 6"],
    ),
    (
        '"192.0.2.1"',
        '"10.1.0.7"',
        [
            "2:1: address: 10.1.0.7 is in the pool 10.1.0.0/24 on line 6, which is for mobile nodes alone:"
            " change one of them"
        ],
    ),
    (
        '"192.0.2.1"',
        '"10.1.0.1"',
        [
            "2:1: address: 10.1.0.1 is in the pool 10.1.0.0/24 on line 6, which is for mobile nodes alone:"
            " change one of them"
        ],
    ),
    (
        "[lma]\n",
        "[lma]\ndevice = 'mip%d'\n",
        ["2:1: device: 'mip%d' is not an interface name (1 to 15 letters, digits and _ . @ -, such as eth1)"],
    ),
    (
        "[lma]\n",
        "[lma]\ntimestamp_window = 3\n",
        ["2:1: timestamp_window: must be above 3 and at most 3600, not 3"],
    ),
    ("[lma]\n", "[lma]\nforced_udp = 1\n", ["2:1: forced_udp: must be true or false, not a whole number"]),
    ("[lma]\n", "[lma]\nlifetime = 1\n", ["2:1: unknown setting 'lifetime' - did you mean 'max_lifetime'?"]),
    ("[lma]\n", "[lma]\nmtu = 100\n", ["2:1: mtu: must be from 576 to 65535, not 100"]),
]


@pytest.mark.parametrize(("old", "new", "expected"), LMA_CHANGED)
def test_one_change_at_the_lma(old: str, new: str, expected: list[str], tmp_path: Path) -> None:
    assert mistakes(tmp_path, LMA.replace(old, new, 1)) == [f"mag.toml:{line}" for line in expected]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (
            NODE_2.replace("mn2", "mn1").replace("4097", "4096"),
            "16:1: spi: the association of mn1@example.net with SPI 4096 is already used on line 11",
        ),
        (
            NODE_2 + 'home_address = "10.1.0.50"',
            "18:1: home_address: 10.1.0.50 is already the home address of mn1@example.net on line 13",
        ),
        (
            NODE_2.replace("mn2", "mn1") + 'home_address = "10.1.0.51"',
            "18:1: home_address: mn1@example.net already has 10.1.0.50 on line 13",
        ),
    ],
)
def test_what_two_mobile_nodes_cannot_share(second: str, expected: str, tmp_path: Path) -> None:
    assert mistakes(tmp_path, LMA + second) == [f"mag.toml:{expected}"]


def test_two_associations_of_one_mobile_node_are_fine(tmp_path: Path) -> None:
    """A key is changed by adding the next one."""
    second = NODE_2.replace("mn2", "mn1") + 'home_address = "10.1.0.50"'
    assert mistakes(tmp_path, LMA + second) == []


def test_a_realm_without_a_pool(tmp_path: Path) -> None:
    """Nothing would ever be assigned; enlarging a pool would not help."""
    text = LMA.replace('exclude = ["10.1.0.9"]', 'realms = ["example.net"]') + NODE_2.replace(".net", ".org")
    expected = "mag.toml:15:1: nai: no pool serves its realm 'example.org'; the pools serve example.net"
    assert mistakes(tmp_path, text) == [expected]


def test_nodes_that_are_redirected_need_no_pool(tmp_path: Path) -> None:
    """Their keys are here because nobody is told of another home agent who cannot be believed."""
    text = LMA.replace('exclude = ["10.1.0.9"]', 'realms = ["example.net"]') + NODE_2.replace(".net", ".org")
    text = text.replace("[lma]\n", "[lma]\ndynamic_home_agent = true\n")
    redirects = '[[lma.redirects]]\nrealms = ["Example.ORG"]\nhome_agent = "192.0.2.2"\n'
    assert mistakes(tmp_path, text + redirects) == []
    assert mistakes(tmp_path, text + redirects.replace("ORG", "COM")) != []


def test_an_lma_needs_a_pool(tmp_path: Path) -> None:
    text = '[lma]\naddress = "192.0.2.1"\nidentity = "lma1"\n'
    assert mistakes(tmp_path, text) == [
        'mag.toml:1:1: no home addresses: add [[lma.pools]] with prefix = "..."'
    ]


def test_each_prefix_overlaps_once(tmp_path: Path) -> None:
    """However many others it overlaps, wider ones and narrower ones."""
    pools = [f"10.{number}.0.0/16" for number in range(1, 5)] + ["10.2.3.0/24", "10.0.0.0/8", "10.9.0.0/16"]
    text = LMA.partition("[[lma.pools]]")[0] + "".join(
        f'[[lma.pools]]\nprefix = "{pool}"\n' for pool in pools
    )
    assert mistakes(tmp_path, text) == [
        "mag.toml:14:1: prefix: 10.2.3.0/24 overlaps 10.2.0.0/16 on line 8",
        "mag.toml:16:1: prefix: 10.0.0.0/8 overlaps 10.1.0.0/16 on line 6",
        "mag.toml:18:1: prefix: 10.9.0.0/16 overlaps 10.0.0.0/8 on line 16",
    ]


def test_numbers_beyond_all_bounds(tmp_path: Path) -> None:
    """Python refuses to print integers of that size."""
    huge = f"0x{'f' * 5000}"
    text = (LMA + NODE_2).replace("4096", huge).replace("4097", huge).replace("mn2", "mn1")
    expected = "spi: must be from 256 to 4294967295, not such a large number"
    assert mistakes(tmp_path, text) == [f"mag.toml:11:1: {expected}", f"mag.toml:16:1: {expected}"]


def test_a_mistake_is_one_line_whatever_it_repeats(tmp_path: Path) -> None:
    text = (LMA + NODE_2 + 'home_address = "10.1.0.50"').replace("mn1@example.net", "mn\\n1")
    assert mistakes(tmp_path, text) == [
        r"mag.toml:10:1: nai: 'mn\n1' is not a network access identifier (such as mn1@example.net)"
    ]


def test_a_mistake_hides_no_other(tmp_path: Path) -> None:
    """Checks across settings run although single settings are wrong, and the lines come in order."""
    text = LMA.replace('"10.1.0.50"', '"10.2.0.1"').replace("spi = 4096", "spi = 1\nmtu = 2")
    text = text.replace('identity = "lma1"', "identity = 7")
    assert mistakes(tmp_path, text) == [
        "mag.toml:3:1: identity: must be a text in quotes, not a whole number",
        "mag.toml:11:1: spi: must be from 256 to 4294967295, not 1",
        "mag.toml:12:1: unknown setting 'mtu'",
        "mag.toml:14:1: home_address: 10.2.0.1 is in none of the pools",
    ]
