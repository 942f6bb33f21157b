"""The records of every version are read for ever: octets that a version has written, and what they mean."""

from msgspec.structs import replace

from pmip_tw.aaa.examined import Examined
from pmip_tw.addresses import Mac, ipv4
from pmip_tw.mag.journal.records import (
    MAG_JOURNAL,
    Admitted,
    Authorized,
    Buried,
    Departed,
    Visiting,
    Withdrawn,
    shifted,
)
from pmip_tw.secret import Secret
from pmip_tw.store.rows import RowCodec

_CODEC = RowCodec(MAG_JOURNAL)

VISITING = Visiting(
    port="acc0",
    mac=Mac(b"\2\0\0\0\0\1"),
    nai="mn1@example.net",
    lmas=(ipv4("192.0.2.1"), ipv4("192.0.2.2")),
    mn_ha=(4097, "hmac-sha256", Secret(b"the node's key")),
    mn_aaa=(2, Secret(b"shared with AAA")),
    profile_home_address=ipv4("10.1.0.9"),
    session_timeout=7200,
    attributes_class=b"gold",
    session_ends=8200.0,
    home_address=ipv4("10.1.0.9"),
    lma=ipv4("192.0.2.1"),
    care_of_address=ipv4("198.51.100.10"),
    lifetime=1800,
    accepted_at=1000.5,
    renew_at=1900.0,
    deadline=2800.0,
    lma_timestamp=500_000,
    inform=True,
    remote=ipv4("192.0.2.1"),
    remote_port=434,
    encapsulation=47,
    key_in=5,
    key_out=7,
    home_link=(22, ipv4("10.1.0.1"), ipv4("10.1.0.53")),
    lease_ends=2980.0,
    lease_cause="DHCP lease expired",
    identification=0xE97D_1234_0000_0001,
    clock_offset=-3,
)
DEPARTED = Departed(mac=Mac(b"\2\0\0\0\0\2"), nai="mn2@example.net", deadline=2000.0)
BURIED = Buried(
    home_agent=ipv4("192.0.2.1"),
    home_address=ipv4("10.1.0.10"),
    nai="mn2@example.net",
    lma=ipv4("192.0.2.1"),
    mn_ha=None,
    identifier=500_007,
    deadline=2000.0,
)
ROW_1 = [VISITING, DEPARTED, BURIED]

OCTETS_1 = bytes.fromhex(
    "93dc001e01a461636330c406020000000001af6d6e31406578616d706c652e6e657492cec0000201cec000020293cd10"
    "01ab686d61632d736861323536c70e01746865206e6f64652773206b65799202c70f0173686172656420776974682041"
    "4141ce0a010009cd1c20c404676f6c64cb40c0040000000000ce0a010009cec0000201cec633640acd0708cb408f4400"
    "00000000cb409db00000000000cb40a5e00000000000ce0007a120c3cec0000201cd01b22f05079316ce0a010001ce0a"
    "010035cb40a7480000000000b244484350206c656173652065787069726564cfe97d123400000001fd9402c406020000"
    "000002af6d6e32406578616d706c652e6e6574cb409f4000000000009803cec0000201ce0a01000aaf6d6e3240657861"
    "6d706c652e6e6574cec0000201c0ce0007a127cb409f400000000000"
)


OCTETS_WITH_KEEPALIVES = OCTETS_1.replace(b"\xdc\0\x1e", b"\xdc\0\x1f", 1).replace(
    b"\xfd\x94\x02", b"\xfd\x19\x94\x02", 1
)
"""Version 1 with the interval of keepalives, 25 s, at the end of a visitor."""

OCTETS_WITH_POOL = OCTETS_WITH_KEEPALIVES.replace(b"\xdc\0\x1f", b"\xdc\0\x20", 1).replace(
    b"\xfd\x19\x94\x02", b"\xfd\x19\xc4\x04gold\x94\x02", 1
)
"""And with the pool that AAA has named, behind that."""

AUTHORIZED = Authorized(
    classes=(b"gold", b"\0\xff"),
    fa_rk=(4711, Secret(b"root of agents")),
    dhcp_server=ipv4("10.1.0.67"),
    name_servers=(ipv4("10.1.0.53"),),
    lifetime=900,
    idle_timeout=600,
    interim_interval=60,
    reauthenticate=True,
    filter_ids=("gold",),
    chargeable_identity=b"cui",
    aaa_session_id=b"\1\2",
    correlation_id=b"3gpp2",
)
_AUTHORIZED_1 = bytes.fromhex(
    "9c92c404676f6c64c40200ff92cd1267c70e01726f6f74206f66206167656e7473ce0a01004391ce0a010035cd0384cd"
    "02583cc391a4676f6c64c403637569c4020102c4053367707032"
)
OCTETS_WITH_MORE_OF_AAA = OCTETS_WITH_POOL.replace(b"\xdc\0\x20", b"\xdc\0\x21", 1).replace(
    b"gold\x94\x02", b"gold" + _AUTHORIZED_1 + b"\x94\x02", 1
)
"""And with all that AAA may say, behind that."""

OCTETS_WITH_ACCOUNTING = OCTETS_WITH_MORE_OF_AAA.replace(b"\xdc\0\x21", b"\xdc\0\x22", 1).replace(
    _AUTHORIZED_1, _AUTHORIZED_1 + b"\xa40c1d", 1
)
"""And with what AAA knows its session by, behind that."""

_BY_EAP = b"\xa8eap-ttls\xa5anon@\xcb\x40\xb0\0\0\0\0\0\0"
OCTETS_WITH_METHOD = OCTETS_WITH_ACCOUNTING.replace(b"\xdc\0\x22", b"\xdc\0\x25", 1).replace(
    b"\xa40c1d", b"\xa40c1d" + _BY_EAP, 1
)
"""And with how it has proven who it is, behind that."""


AP = ipv4("198.51.100.7")
_EXAMINED = b"\x92\xc2\xc4\x05campu"
_EXAMINED_BY = b"\x93\xc2\xc4\x05campu\xce\xc6\x33\x64\x07"
"""And who has said so."""

OCTETS_WITH_ACCESS_POINT = OCTETS_WITH_METHOD.replace(b"\xdc\0\x25", b"\xdc\0\x26", 1).replace(
    _BY_EAP, _BY_EAP + _EXAMINED, 1
)
"""And with what its access point has said of it, behind that."""


def test_version_1() -> None:
    assert _CODEC.decode(OCTETS_1) == ROW_1


def test_with_the_interval_of_keepalives() -> None:
    keeping = replace(VISITING, keepalive_interval=25)
    assert _CODEC.decode(OCTETS_WITH_KEEPALIVES) == [keeping, DEPARTED, BURIED]


def test_with_the_pool_of_aaa() -> None:
    pooled = replace(VISITING, keepalive_interval=25, framed_pool=b"gold")
    assert _CODEC.decode(OCTETS_WITH_POOL) == [pooled, DEPARTED, BURIED]


def test_with_all_that_aaa_may_say() -> None:
    authorized = replace(VISITING, keepalive_interval=25, framed_pool=b"gold", authorized=AUTHORIZED)
    assert _CODEC.decode(OCTETS_WITH_MORE_OF_AAA) == [authorized, DEPARTED, BURIED]


def test_with_the_accounting_session() -> None:
    accounted = replace(
        VISITING, keepalive_interval=25, framed_pool=b"gold", authorized=AUTHORIZED, accounting_id="0c1d"
    )
    assert _CODEC.decode(OCTETS_WITH_ACCOUNTING) == [accounted, DEPARTED, BURIED]


def test_with_the_method() -> None:
    examined = replace(
        VISITING,
        keepalive_interval=25,
        framed_pool=b"gold",
        authorized=AUTHORIZED,
        accounting_id="0c1d",
        method="eap-ttls",
        eap_identity="anon@",
        reauthorize_at=4096.0,
    )
    assert _CODEC.decode(OCTETS_WITH_METHOD) == [examined, DEPARTED, BURIED]
    there = replace(examined, examined=Examined(by_eap=False, called_station=b"campu"))
    assert _CODEC.decode(OCTETS_WITH_ACCESS_POINT) == [there, DEPARTED, BURIED]
    at = replace(there, examined=Examined(by_eap=False, called_station=b"campu", access_point=AP))
    octets = OCTETS_WITH_ACCESS_POINT.replace(_EXAMINED, _EXAMINED_BY)
    assert _CODEC.decode(octets) == [at, DEPARTED, BURIED]
    assert _CODEC.encode([at, DEPARTED, BURIED]) == octets


ADMITTED = Admitted(
    mac=Mac(b"\2\0\0\0\0\1"),
    port="acc0",
    nai="mn1@example.net",
    lmas=(ipv4("192.0.2.1"),),
    mn_ha=(4097, "hmac-sha256", Secret(b"the node's key")),
    mn_aaa=None,
    profile_home_address=ipv4("10.1.0.9"),
    session_timeout=7200,
    framed_pool=b"gold",
    authorized=AUTHORIZED,
    examined=Examined(by_eap=True, called_station=b"ap"),
    ends_at=8200.0,
    deadline=4600.0,
)
WITHDRAWN = Withdrawn(mac=Mac(b"\2\0\0\0\0\2"), port="acc0", deadline=2000.0)
OCTETS_OF_ADMISSIONS = bytes.fromhex(
    "929e04c406020000000001a461636330af6d6e31406578616d706c652e6e657491cec000020193cd1001ab686d61632d"
    "736861323536c70e01746865206e6f64652773206b6579c0ce0a010009cd1c20c404676f6c649c92c404676f6c64c402"
    "00ff92cd1267c70e01726f6f74206f66206167656e7473ce0a01004391ce0a010035cd0384cd02583cc391a4676f6c64"
    "c403637569c4020102c405336770703292c3c4026170cb40c0040000000000cb40b1f800000000009405c40602000000"
    "0002a461636330cb409f400000000000"
)


def test_whom_access_points_have_let_in() -> None:
    assert _CODEC.decode(OCTETS_OF_ADMISSIONS) == [ADMITTED, WITHDRAWN]
    by = Examined(by_eap=True, called_station=b"ap", access_point=AP)
    octets = OCTETS_OF_ADMISSIONS.replace(b"\x92\xc3\xc4\x02ap", b"\x93\xc3\xc4\x02ap\xce\xc6\x33\x64\x07")
    assert _CODEC.decode(octets) == [replace(ADMITTED, examined=by), WITHDRAWN]
    assert _CODEC.encode([replace(ADMITTED, examined=by), WITHDRAWN]) == octets


def test_what_is_written_now_is_version_1() -> None:
    """Whoever changes this raises the version, or adds a field with a default, and keeps the octets above."""
    assert MAG_JOURNAL.version == 1
    nothing = bytes.fromhex("9c90c00090000000c290c400c400c400")
    said = b"\xfd\x19\xc4\x04gold" + _AUTHORIZED_1 + b"\xa40c1d" + _BY_EAP + _EXAMINED
    now = OCTETS_WITH_ACCESS_POINT.replace(said, b"\xfd\0\xc4\0" + nothing + b"\xa0\xa3mac\xa0\xc0\xc0", 1)
    assert _CODEC.encode(ROW_1) == now


def test_instants_are_moved_and_nothing_else() -> None:
    visiting = replace(VISITING, reauthorize_at=1234.0)
    moved = shifted(visiting, 100.0)
    differ = {name for name in Visiting.__struct_fields__ if getattr(moved, name) != getattr(visiting, name)}
    assert differ == set(Visiting.instants)
    assert "reauthorize_at" in differ and len(differ) == 6
    assert shifted(DEPARTED, 1.0) == Departed(mac=DEPARTED.mac, nai=DEPARTED.nai, deadline=2001.0)
