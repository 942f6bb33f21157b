"""Every kind of mistake in a MAG's file and its file of users, with the exact line that the operator reads."""

from pathlib import Path

import pytest

from tests.conformance import covers

from .files import MAG, USERS, mistakes


def test_an_unknown_setting_reads_as_promised(tmp_path: Path) -> None:
    text = '# one\n# two\n# three\n# four\n[mag]\naddress = "198.51.100.10"\nidentity = "m"\nlifetme = 3\n'
    text += MAG.partition('identity = "mag1"\n')[2]
    assert mistakes(tmp_path, text) == ["mag.toml:8:1: unknown setting 'lifetme' - did you mean 'lifetime'?"]


WHOLE_PATH = 'store: must be a file with its whole path, such as /var/lib/pmip/lma.journal, or "" for none'

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
    ('store = "mag.journal"', f"{WHOLE_PATH}, not 'mag.journal'"),
    ('store = "/var/lib/pmip/"', f"{WHOLE_PATH}, not '/var/lib/pmip/'"),
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


@covers("AA1")
def test_a_file_of_users_beside_servers(tmp_path: Path) -> None:
    """It says what they do not say, and need not say everything; not even of an interface with 802.1X."""
    text = MAG + '[mag.local]\nusers = "users.toml"\n'
    assert mistakes(tmp_path, text, USERS) == []
    short = '[[users]]\nmac = "02:00:00:00:00:01"\nnai = "mn1@example.net"\n'
    assert mistakes(tmp_path, text, short) == []
    examined = text.replace("[[mag.access]]", '[[mag.access]]\nauthentication = "802.1x"', 1)
    assert mistakes(tmp_path, examined, short) == []
    unseen = text + '[mag.profile]\nprecedence = ["radius"]\n'
    assert [line.split(": ", 1)[1] for line in mistakes(tmp_path, unseen, short)] == [
        'precedence: without "users" nothing of the file that [mag.local] names is looked at'
    ]
    alone = text.replace(text[text.index("[[mag.radius") : text.index("[mag.local]")], "")
    assert "no spi and key" in " ".join(mistakes(tmp_path, alone, short + 'lma = "192.0.2.1"\n'))


def test_some_kind_of_aaa(tmp_path: Path) -> None:
    assert mistakes(tmp_path, MAG.partition("[[mag.radius")[0]) == [
        "mag.toml:1:1: no AAA: add [[mag.radius.servers]], [[mag.diameter.peers]], or [mag.local] with a file of users"
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
