"""Every kind of mistake, with the exact line that the operator reads."""

import os
import socket
from pathlib import Path

import pytest

from pmip_tw.config.load import load
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


def test_the_samples_have_no_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path, MAG) == []
    assert mistakes(tmp_path, LMA + NODE_2) == []


def test_an_unknown_setting_reads_as_promised(tmp_path: Path) -> None:
    text = '# one\n# two\n# three\n# four\n[mag]\naddress = "198.51.100.10"\nidentity = "m"\nlifetme = 3\n'
    text += MAG.partition('identity = "mag1"\n')[2]
    assert mistakes(tmp_path, text) == ["mag.toml:8:1: unknown setting 'lifetme' - did you mean 'lifetime'?"]


ONE_SETTING = [
    ("lifetime = 0", "lifetime: must be from 1 to 65534, not 0"),
    ("lifetime = 65535", "lifetime: must be from 1 to 65534, not 65535"),
    ("lifetime = true", "lifetime: must be a whole number, not true or false"),
    ("lifetime = 1.5", "lifetime: must be a whole number, not a number with a fraction"),
    ('lifetime = "1800"', "lifetime: must be a whole number, not a text in quotes"),
    ("lifetime = 1979-05-27", "lifetime: must be a whole number, not a date or time"),
    ("reject_hold = nan", "reject_hold: must be from 0 to 86400, not nan"),
    ("reject_hold = false", "reject_hold: must be a number, not true or false"),
    ("reject_hold = []", "reject_hold: must be a number, not a list"),
    (
        'nat_traversal = "atuo"',
        "nat_traversal: 'atuo' is none of auto, force, off - did you mean 'auto'?",
    ),
    ("nat_traversal = true", "nat_traversal: must be a text in quotes, not true or false"),
    ('duplicate_mac = "drop"', "duplicate_mac: 'drop' is none of refuse, move"),
    (
        'gateway_mac = "02:00:5e"',
        "gateway_mac: '02:00:5e' is not an Ethernet address (such as 02:00:00:00:00:01)",
    ),
    (
        'gateway_mac = "01:00:5e:00:00:01"',
        "gateway_mac: 01:00:5e:00:00:01 is not the address of one station",
    ),
    (
        'default_realm = "a@b"',
        "default_realm: 'a@b' is not a realm (what follows the @, such as example.net)",
    ),
    ('control = ""', "control: must be the path of a unix socket, such as /run/pmip.sock"),
    (f'control = "/{"x" * 107}"', "control: is 108 octets long; a socket's path has at most 107"),
    ("xyzzy = 1", "unknown setting 'xyzzy'"),
    ("Lifetime = 1", "unknown setting 'Lifetime' - did you mean 'lifetime'?"),
    ("'gateway-mac' = 1", "unknown setting 'gateway-mac' - did you mean 'gateway_mac'?"),
]


@pytest.mark.parametrize(("line", "text"), ONE_SETTING)
def test_one_wrong_setting(line: str, text: str, tmp_path: Path) -> None:
    """Each is on line 2, directly below the table header, indented by two."""
    assert mistakes(tmp_path, MAG.replace("[mag]\n", f"[mag]\n  {line}\n")) == [f"mag.toml:2:3: {text}"]


CHANGED = [
    ('identity = "mag1"', 'identity = " "', "3:1: identity: must be a name in printable characters, not ' '"),
    ('identity = "mag1"\n', "", "1:1: missing setting 'identity'"),
    ('prefix = "10.1.0.0/24"\n', "", "6:1: missing setting 'prefix'"),
    ('secret = "text:change-me"\n', "", "9:1: missing setting 'secret'"),
    (
        '"198.51.100.10"',
        '"198.51.100.256"',
        "2:1: address: '198.51.100.256' is not an IPv4 address (four numbers 0-255, such as 192.0.2.1)",
    ),
    ('"198.51.100.10"', '"224.0.0.1"', "2:1: address: 224.0.0.1 is not the address of a machine"),
    ('"198.51.100.10"', '"0.0.0.0"', "2:1: address: 0.0.0.0 is not the address of a machine"),
    (
        '"10.1.0.0/24"',
        '"10.1.0.7/24"',
        "7:1: prefix: '10.1.0.7/24' has host bits set; the prefix is 10.1.0.0/24",
    ),
    ('"10.1.0.0/24"', '"10.1.0.0"', "7:1: prefix: '10.1.0.0' is not an IPv4 prefix (such as 10.1.0.0/24)"),
    (
        '"10.1.0.0/24"',
        '"10.1.0.0/31"',
        "7:1: prefix: 10.1.0.0/31 must be /1 to /30: gateway and mobile nodes",
    ),
    (
        '"10.1.0.0/24"\n',
        '"10.1.0.0/24"\ngateway = "10.2.0.1"\n',
        "8:1: gateway: 10.2.0.1 is not the address of a machine in 10.1.0.0/24",
    ),
    (
        '"10.1.0.0/24"\n',
        '"10.1.0.0/24"\ngateway = "10.1.0.255"\n',
        "8:1: gateway: 10.1.0.255 is not the address of a machine in 10.1.0.0/24",
    ),
    (
        '"10.1.0.0/24"\n',
        '"10.1.0.0/24"\nlease_time = 59\n',
        "8:1: lease_time: must be from 60 to 4294967294, not 59",
    ),
    (
        '"10.1.0.0/24"\n',
        '"10.1.0.0/24"\n[[mag.home_prefixes]]\nprefix = "10.1.0.128/25"\n',
        "9:1: prefix: 10.1.0.128/25 overlaps 10.1.0.0/24 on line 7",
    ),
    (
        '"10.1.0.0/24"\n',
        '"10.1.0.0/24"\ndns = [\n  "10.9.0.53",\n  "dns.example"]\n',
        "10:3: dns[1]: 'dns.example' is not an IPv4 address (four numbers 0-255, such as 192.0.2.1)",
    ),
    (
        '"eth1"',
        """'a"b;c'""",
        """4:13: interface: 'a"b;c' is not an interface name (1 to 15 letters, digits and _ . @ -, such as eth1)""",
    ),
    (
        '"eth1"',
        '"all"',
        "4:13: interface: 'all' is not an interface name (1 to 15 letters, digits and _ . @ -, such as eth1)",
    ),
    (
        '"mag1"',
        f'"{"ü" * 127}"',
        "3:1: identity: is 254 octets long; RADIUS takes at most 253",
    ),
    (
        '"10.1.0.0/24"\n',
        '"10.1.0.0/24"\ndns = [' + '"10.9.0.53", ' * 17 + "]\n",
        "8:1: dns: has 17 elements; there is room for 16",
    ),
    ('"10.1.0.0/24"', '"224.0.0.0/24"', "7:1: prefix: 224.0.0.0/24 has addresses that no machine can have"),
    (
        '"10.1.0.0/24"',
        '"10.1.0.0/²"',
        "7:1: prefix: '10.1.0.0/²' is not an IPv4 prefix (such as 10.1.0.0/24)",
    ),
    ('"eth1" }', '"eth1", mtu = 1 }', "4:33: unknown setting 'mtu'"),
    (
        '"eth1" }',
        '"eth1" },\n  { interface = "eth1" }',
        "5:5: interface: the interface eth1 is already used on line 4",
    ),
    (
        '"eth1"',
        '"a-name-too-long-"',
        "4:13: interface: 'a-name-too-long-' is not an interface name"
        " (1 to 15 letters, digits and _ . @ -, such as eth1)",
    ),
    ('{ interface = "eth1" }', '"eth1"', "4:11: access[0]: must be a table, not a text in quotes"),
    ('[{ interface = "eth1" }]', '"eth1"', "4:1: access: must be a list, not a text in quotes"),
    (
        '[{ interface = "eth1" }]',
        "[]",
        '1:1: no access interface: add [[mag.access]] with interface = "..."',
    ),
    ('"text:change-me"', '"text:"', "11:1: secret: the key is empty"),
    ('"text:change-me"', "5", "11:1: secret: must be a text in quotes, not a whole number"),
    ("secret =", "port = 65536\nsecret =", "11:1: port: must be from 1 to 65535, not 65536"),
    (
        "secret =",
        'require_message_authenticator = "eap"\nsecret =',
        "11:1: require_message_authenticator: 'eap' is none of auto, yes, eap-only, no",
    ),
    (
        "[[mag.radius.servers]]",
        "[mag.radius]\ntries = 0\n[[mag.radius.servers]]",
        "10:1: tries: must be from 1 to 10, not 0",
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), CHANGED)
def test_one_change(old: str, new: str, expected: str, tmp_path: Path) -> None:
    assert mistakes(tmp_path, MAG.replace(old, new, 1)) == [f"mag.toml:{expected}"]


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
        'spi = 4096\nalgorithm = "hmac-sha256"',
        [
            "12:1: algorithm: 'hmac-sha256' is none of hmac-md5, hmac-sha1, keyed-md5, keyed-md5-rfc2002"
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


def test_an_lma_needs_a_pool(tmp_path: Path) -> None:
    text = '[lma]\naddress = "192.0.2.1"\nidentity = "lma1"\n'
    assert mistakes(tmp_path, text) == [
        'mag.toml:1:1: no home addresses: add [[lma.pools]] with prefix = "..."'
    ]


def test_exactly_one_kind_of_aaa(tmp_path: Path) -> None:
    assert mistakes(tmp_path, MAG + '[mag.local]\nusers = "users.toml"\n', USERS) == [
        "mag.toml:12:1: [mag.local] and [mag.radius] exclude each other: keep one of them"
    ]
    assert mistakes(tmp_path, MAG.partition("[[mag.radius")[0]) == [
        "mag.toml:1:1: no AAA: add [[mag.radius.servers]], or [mag.local] with a file of users"
    ]
    assert mistakes(tmp_path, MAG.partition("[[mag.radius")[0] + "[mag.radius]\nservers = []") == [
        "mag.toml:10:1: servers: add at least one [[mag.radius.servers]]"
    ]
    assert mistakes(tmp_path, MAG.partition("[[mag.radius")[0] + "[mag.radius]") == [
        "mag.toml:9:1: missing setting 'servers'"
    ]


def test_the_same_radius_server_twice(tmp_path: Path) -> None:
    second = '[[mag.radius.servers]]\naddress = "198.51.100.53"\nsecret = "text:change-me"\n'
    assert mistakes(tmp_path, MAG + second) == [
        "mag.toml:13:1: address: the server 198.51.100.53:1812 is already used on line 10"
    ]
    assert mistakes(tmp_path, MAG + second + "port = 1645") == []


LOCAL_MAG = MAG.partition("[[mag.radius")[0] + '[mag.local]\nusers = "users.toml"\n'


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        (USERS, []),
        (USERS + 'home_address = "10.1.0.5"', []),
        (
            USERS + 'home_address = "10.2.0.5"',
            ["users.toml:7:1: home_address: 10.2.0.5 is in none of the MAG's home prefixes"],
        ),
        (USERS + "colour = 1", ["users.toml:7:1: unknown setting 'colour'"]),
        (
            USERS + USERS.replace("mn1@", "mn2@"),
            ["users.toml:8:1: mac: the MAC 02:00:00:00:00:01 is already used on line 2"],
        ),
        (
            USERS
            + 'home_address = "10.1.0.5"\n'
            + USERS.replace("00:01", "00:02").replace("mn1", "mn2")
            + 'home_address = "10.1.0.5"\n',
            [
                "users.toml:14:1: home_address: 10.1.0.5 is already the home address of mn1@example.net"
                " on line 7"
            ],
        ),
        (
            USERS.replace("users", "user"),
            [
                "users.toml:1:1: no users: add [[users]] with mac, nai, lma, spi and key",
                "users.toml:1:1: unknown setting 'user' - did you mean 'users'?",
            ],
        ),
        ("", ["users.toml:1:1: no users: add [[users]] with mac, nai, lma, spi and key"]),
        ("users = 1", ["users.toml:1:1: users: must be a list, not a whole number"]),
        ("[[users]\n", ["users.toml:1:8: not TOML: Expected ']]' at the end of an array declaration"]),
    ],
)
def test_the_file_of_users(users: str, expected: list[str], tmp_path: Path) -> None:
    """Its mistakes carry its own name."""
    assert mistakes(tmp_path, LOCAL_MAG, users) == expected


def test_mistakes_of_both_files_come_together(tmp_path: Path) -> None:
    broken_mag = LOCAL_MAG.replace("[mag]\n", "[mag]\nlifetme = 1\n")
    assert mistakes(tmp_path, broken_mag, USERS.replace("4096", "1")) == [
        "mag.toml:2:1: unknown setting 'lifetme' - did you mean 'lifetime'?",
        "users.toml:5:1: spi: must be from 256 to 4294967295, not 1",
    ]


def test_a_missing_file_of_users(tmp_path: Path) -> None:
    assert mistakes(tmp_path, LOCAL_MAG) == ["users.toml: cannot be read: No such file or directory"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1:1: no top-level table [mag] or [lma], which tells the role"]),
        ("mag = 5", ["1:1: mag: must be a table, not a whole number"]),
        ("[[mag]]", ["1:1: mag: must be a table, not a list"]),
        (
            "[mga]\nx = 1",
            [
                "1:1: no top-level table [mag] or [lma], which tells the role",
                "1:1: unknown setting 'mga' - did you mean 'mag'?",
            ],
        ),
        (MAG + "[lma]\n", ["12:1: [lma] beside [mag]: a file is for one role, put it in a file of its own"]),
        ("colour = 1\n" + LMA, ["1:1: unknown setting 'colour'"]),
        (USERS, ["1:1: a file of users: check the MAG's file whose [mag.local] names it"]),
        ("[mag]\nidentity = 'x\n", ['2:14: not TOML: Expected "\'" at the end of the file']),
        ("[mag]\nlifetime = ", ["2:12: not TOML: Invalid value at the end of the file"]),
        ("[mag]\nlifetime = 1\nlifetime = 2\n", ["3:13: not TOML: Cannot overwrite a value"]),
        (b"[mag]\n# caf\xe9\n", ["2:6: not UTF-8 text, which TOML must be"]),
        ("a = " + "[" * 5000, ["1:21: brackets are nested too deeply"]),
        ("x = 1\n[" + "a." * 20_000 + "a]", ["2:2: a key of 20001 names is nested too deeply"]),
        ("x = { " + "a . 'b.c' ." * 20_000 + "a = 1}", ["1:7: a key of 40001 names is nested too deeply"]),
        (
            f"[mag]\nlifetime = [1, -{'9' * 5000}]",
            ["2:16: a number of 5000 digits is too large for any setting"],
        ),
        (
            f"{'9' * 4000} = 1\nx = 1{'_0' * 5000}",
            ["2:5: a number of 5001 digits is too large for any setting"],
        ),
    ],
)
def test_the_document_as_a_whole(text: str | bytes, expected: list[str], tmp_path: Path) -> None:
    assert mistakes(tmp_path, text) == [f"mag.toml:{line}" for line in expected]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Nobody waits for who might write to a pipe."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    for path, why in [
        (tmp_path / "none.toml", "No such file or directory"),
        (tmp_path, "it is a directory, not a file"),
        (tmp_path / "pipe", "it is a pipe, not a file"),
        (tmp_path / "socket", "it is a socket, not a file"),
        (Path("/dev/zero"), "it is a device, not a file"),
        (Path("nul\0"), "embedded null byte"),
    ]:
        with pytest.raises(ConfigurationError) as raised:
            load(path)
        assert raised.value.mistakes == (f"{path}: cannot be read: {why}",)


def test_a_file_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "mag.toml"
    with file.open("wb") as sparse:
        sparse.truncate(1 << 40)
    with pytest.raises(ConfigurationError) as raised:
        load(file)
    assert raised.value.mistakes == (f"{file}: cannot be read: it is larger than 64 MiB",)


def test_brackets_and_dots_in_texts_are_no_nesting(tmp_path: Path) -> None:
    dots = "a." * 100 + "[{" * 100
    text = MAG.replace("change-me", dots).replace("[mag]\n", f"# {dots}\n[mag]\n")
    for quotes in ('"', "'", '"""', "'''"):
        assert mistakes(tmp_path, text.replace(f'"text:{dots}"', f"{quotes}text:{dots}{quotes}")) == []


def test_the_first_hundred_mistakes_are_told(tmp_path: Path) -> None:
    """In the order of the lines, and soon: who has so many has given the wrong file."""
    unknown = "".join(f"lifetim{number} = 1\n" for number in range(20_000))
    found = mistakes(tmp_path, MAG.replace("[mag]\n", f"[mag]\n{unknown}"))
    assert found[0] == "mag.toml:2:1: unknown setting 'lifetim0' - did you mean 'lifetime'?"
    assert found[99].startswith("mag.toml:101:1: unknown setting 'lifetim99'")
    assert found[100:] == ["mag.toml: ... and 19900 more mistakes"]


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


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path, b"\xef\xbb\xbf" + MAG.encode()) == []


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
