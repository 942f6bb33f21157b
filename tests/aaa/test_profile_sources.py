"""Which of several that say something of a node is believed, and what each dialect may say."""

import json
import struct
from pathlib import Path
from typing import ClassVar

import attrs
import pytest

from pmip_tw.aaa.dictionaries import of_3gpp2 as threegpp2
from pmip_tw.aaa.dictionaries import standard, wimax
from pmip_tw.aaa.dictionaries.dictionary import Attribute
from pmip_tw.aaa.profiles.mapping import profile_of
from pmip_tw.aaa.profiles.profile import Profile, RootKey
from pmip_tw.aaa.profiles.radius_mapping import verdict_of
from pmip_tw.aaa.profiles.rules import ProfileRules, RealmDefaults
from pmip_tw.aaa.profiles.said import Said
from pmip_tw.aaa.verdicts import Accept, Reject
from pmip_tw.addresses import ipv4
from pmip_tw.errors import AccessDenied
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.mobility.mn_aaa import AaaAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import Attributes, Code, decode_answer
from pmip_tw.wire.salt_cipher import SaltCipher
from pmip_tw.wire.wimax import split_value
from tests.conformance import covers

FILE = json.loads((Path(__file__).parent.parent / "vectors" / "radius.json").read_text())
CIPHER = SaltCipher(Secret(b"testing123"), bytes(range(16)))
KEYS = {name: Secret(name.encode() * 20) for name in "abc"}

Given = tuple[Attribute, bytes]


def address(text: str) -> bytes:
    return struct.pack("!L", ipv4(text))


def number(value: int) -> bytes:
    return struct.pack("!L", value)


def hidden(name: str) -> bytes:
    return CIPHER.encrypt(KEYS[name], b"\x80\1")


def attributes_of(*given: Given) -> Attributes:
    """As they stand in a packet, WiMAX values in fragments."""
    plain: dict[int, tuple[bytes, ...]] = {}
    vendor: dict[tuple[int, int], tuple[bytes, ...]] = {}
    for attribute, value in given:
        if not attribute.vendor:
            plain[attribute.number] = (*plain.get(attribute.number, ()), value)
        else:
            parts = split_value(value) if attribute.vendor == wimax.WIMAX.vendor else (value,)
            vendor[attribute.key] = (*vendor.get(attribute.key, ()), *parts)
    return Attributes.of(plain, vendor)


NAME: Given = (standard.USER_NAME, b"mn1@example.net")


def profile(*given: Given, rules: ProfileRules | None = None) -> Profile:
    said = Said(attributes_of(NAME, *given), CIPHER.decrypt)
    return profile_of(said, rules or ProfileRules(), "02-00-00-00-00-01")


def refused(*given: Given, rules: ProfileRules | None = None) -> str:
    with pytest.raises(AccessDenied) as denied:
        profile(*given, rules=rules)
    return str(denied.value)


WIMAX_KEY = ((wimax.MN_HHA_MIP4_KEY, hidden("a")), (wimax.MN_HHA_MIP4_SPI, number(1000)))
THREEGPP2_KEY = ((threegpp2.MN_HA_SHARED_KEY, hidden("b")), (threegpp2.MN_HA_SPI, number(2000)))


@covers("AA9", "AA11", "AA7")
def test_an_accept_that_freeradius_made_of_both_dialects() -> None:
    """Keys and SPIs are those of the packet, although they follow from no EMSK in the way of the specification."""
    [request] = [one for one in FILE["packets"] if one["name"] == "access-request-for-keys"]
    [accept] = [one for one in FILE["packets"] if one["name"] == "access-accept-with-salted-keys"]
    octets, secret = bytes.fromhex(request["hex"]), Secret(FILE["shared_secret"].encode())
    answer = decode_answer(
        bytes.fromhex(accept["hex"]), identifier=octets[1], request_authenticator=octets[4:20], secret=secret
    )
    cipher = SaltCipher(secret, octets[4:20])
    found = verdict_of(answer, cipher, user_name="mn1", rules=ProfileRules(default_realm="example.net"))
    assert isinstance(found, Accept)
    plain = {(one["vendor"], one["type"]): bytes.fromhex(one["plain_hex"]) for one in FILE["salt_decryption"]}
    assert found.profile == Profile(
        nai="mn1@example.net",
        lmas=(ipv4("192.0.2.1"),),
        mn_ha=SecurityAssociation(0x74449585, Secret(plain[24757, 10])),
        fa_rk=RootKey(0x74449584, Secret(plain[24757, 14])),
    )


@covers("AA9")
def test_wimax_before_3gpp2_and_the_other_way_round_where_that_is_configured() -> None:
    both = (
        (wimax.HHA_IP_MIP4, address("192.0.2.1")),
        (threegpp2.HOME_AGENT_IP_ADDRESS, address("192.0.2.2")),
        *WIMAX_KEY,
        *THREEGPP2_KEY,
    )
    found = profile(*both)
    assert (found.lmas, found.mn_ha) == (
        (ipv4("192.0.2.1"),),
        SecurityAssociation(1000, KEYS["a"]),
    )
    found = profile(*both, rules=ProfileRules(precedence=("3gpp2", "wimax", "radius")))
    assert (found.lmas, found.mn_ha) == (
        (ipv4("192.0.2.2"),),
        SecurityAssociation(2000, KEYS["b"]),
    )


@covers("AA9")
def test_fields_come_from_different_dialects_but_never_key_and_spi() -> None:
    found = profile((threegpp2.HOME_AGENT_IP_ADDRESS, address("192.0.2.2")), *WIMAX_KEY)
    assert (found.lmas, found.mn_ha) == (
        (ipv4("192.0.2.2"),),
        SecurityAssociation(1000, KEYS["a"]),
    )
    cause = refused((wimax.MN_HHA_MIP4_SPI, number(1000)), *THREEGPP2_KEY)
    assert cause == "the Access-Accept has no WiMAX-MN-hHA-MIP4-Key (vendor 24757, type 10)"


@covers("AA9", "AA8")
def test_who_is_not_named_or_comes_later_is_not_even_looked_at() -> None:
    garbage = (wimax.MN_HHA_MIP4_KEY, b"garbage")
    found = profile(garbage, *THREEGPP2_KEY, rules=ProfileRules(precedence=("3gpp2", "radius")))
    assert found.mn_ha == SecurityAssociation(2000, KEYS["b"])
    late = profile(*WIMAX_KEY, (threegpp2.MN_HA_SHARED_KEY, b"garbage"))
    assert late.mn_ha == SecurityAssociation(1000, KEYS["a"])
    assert "WiMAX-MN-hHA-MIP4-SPI" in refused(garbage, *THREEGPP2_KEY)


@covers("AA9")
def test_everything_that_each_dialect_may_say() -> None:
    found = profile(
        (wimax.PMIP_IDENTITY, b"pseudonym@visited.example"),
        (wimax.DHCP_MSG_SERVER_IP, address("198.51.100.67")),
        (wimax.DNS_SERVER, bytes(16)),
        (wimax.DNS_SERVER, address("198.51.100.53")),
        (wimax.AAA_SESSION_ID, b"\0\xffsession" * 40),
        (wimax.FA_RK_KEY, hidden("c")),
        (wimax.FA_RK_SPI, number(300)),
        (threegpp2.CORRELATION_ID, b"c0ffee"),
        (threegpp2.MIP_LIFETIME, b"\1\6" + number(1200)),
        (standard.FRAMED_IP_ADDRESS, address("10.1.0.50")),
        (standard.FRAMED_POOL, b"gold"),
        (standard.SESSION_TIMEOUT, number(3600)),
        (standard.IDLE_TIMEOUT, number(300)),
        (standard.TERMINATION_ACTION, number(1)),
        (standard.ACCT_INTERIM_INTERVAL, number(60)),
        (standard.FILTER_ID, b"guests"),
        (standard.FILTER_ID, b"no-smtp"),
        (standard.CLASS, b"\0\xff1"),
        (standard.CLASS, b"2"),
        (standard.CHARGEABLE_USER_IDENTITY, b"\xffcui"),
    )
    assert found == Profile(
        nai="pseudonym@visited.example",
        dhcp_server=ipv4("198.51.100.67"),
        name_servers=(ipv4("198.51.100.53"),),
        aaa_session_id=b"\0\xffsession" * 40,
        fa_rk=RootKey(300, KEYS["c"]),
        correlation_id=b"c0ffee",
        lifetime=1200,
        home_address=ipv4("10.1.0.50"),
        framed_pool=b"gold",
        session_timeout=3600,
        idle_timeout=300,
        reauthenticate=True,
        interim_interval=60,
        filter_ids=("guests", "no-smtp"),
        classes=(b"\0\xff1", b"2"),
        chargeable_identity=b"\xffcui",
    )


@covers("AA1")
def test_what_is_configured_for_a_realm_stands_where_aaa_says_nothing_field_by_field() -> None:
    rules = ProfileRules(
        realms={
            "example.net": RealmDefaults(
                lmas=(ipv4("192.0.2.9"),),
                lifetime=600,
                name_servers=(ipv4("9.9.9.9"),),
                session_timeout=7200,
                idle_timeout=100,
                interim_interval=900,
                dhcp_server=ipv4("198.51.100.67"),
            ),
            "": RealmDefaults(lifetime=60),
        }
    )
    found = profile((threegpp2.MIP_LIFETIME, b"\1\6" + number(1200)), rules=rules)
    assert found == Profile(
        nai="mn1@example.net",
        lmas=(ipv4("192.0.2.9"),),
        lifetime=1200,
        name_servers=(ipv4("9.9.9.9"),),
        session_timeout=7200,
        idle_timeout=100,
        interim_interval=900,
        dhcp_server=ipv4("198.51.100.67"),
    )
    assert profile((wimax.PMIP_IDENTITY, b"mn1@elsewhere.example"), rules=rules).lifetime == 60
    assert profile((wimax.PMIP_IDENTITY, b"mn1@EXAMPLE.net"), rules=rules).lifetime == 600


@covers("AA1")
def test_configuration_may_be_believed_before_aaa_or_not_at_all() -> None:
    realms = {"example.net": RealmDefaults(lifetime=600, algorithm=Algorithm.HMAC_SHA1)}
    said: Given = (threegpp2.MIP_LIFETIME, b"\1\6" + number(1200))
    first = ProfileRules(realms=realms, precedence=("local", "wimax", "3gpp2", "radius"))
    assert profile(said, rules=first).lifetime == 600
    never = ProfileRules(realms=realms, precedence=("wimax", "radius"))
    assert profile(said, rules=never).lifetime == 0


@covers("AA1")
def test_a_source_in_which_nothing_is_said_moves_no_other() -> None:
    realms = {"example.net": RealmDefaults(session_timeout=600)}
    rules = ProfileRules(realms=realms, precedence=("wimax", "3gpp2", "local", "radius"))
    assert profile((standard.SESSION_TIMEOUT, number(7200)), rules=rules).session_timeout == 600


class TestUsers:
    """The MAG's own file of users, as a layer under what servers say."""

    KEY = SecurityAssociation(4096, Secret(b"of the file of users"), Algorithm.HMAC_SHA1)
    USER = Profile(
        nai="mn1@example.net",
        lmas=(ipv4("192.0.2.8"),),
        mn_ha=KEY,
        mn_aaa=AaaAssociation(2, Secret(b"shared with the AAA server")),
        home_address=ipv4("10.1.0.50"),
        session_timeout=900,
    )
    MAC = "02-00-00-00-00-01"
    REALMS: ClassVar = {
        "example.net": RealmDefaults(lmas=(ipv4("192.0.2.9"),), session_timeout=7200, idle_timeout=100)
    }
    RULES = ProfileRules(users={USER.nai: USER}, names={MAC: USER.nai}, realms=REALMS)

    @covers("AA1")
    def test_stand_where_servers_say_nothing(self) -> None:
        assert profile(rules=self.RULES) == attrs.evolve(self.USER, idle_timeout=100)

    @covers("AA1")
    def test_give_way_field_by_field_and_never_mix_a_key_with_an_spi(self) -> None:
        found = profile(*WIMAX_KEY, (standard.SESSION_TIMEOUT, number(60)), rules=self.RULES)
        assert found.mn_ha == SecurityAssociation(1000, KEYS["a"], Algorithm.HMAC_MD5)
        assert found == attrs.evolve(self.USER, mn_ha=found.mn_ha, session_timeout=60, idle_timeout=100)

    @covers("AA1")
    def test_may_be_believed_first_or_not_at_all(self) -> None:
        said: Given = (standard.SESSION_TIMEOUT, number(60))
        first = attrs.evolve(self.RULES, precedence=("users", "radius", "local"))
        assert profile(said, rules=first).session_timeout == 900
        never = attrs.evolve(self.RULES, precedence=("radius", "local"))
        assert (profile(rules=never).session_timeout, profile(rules=never).mn_ha) == (7200, None)

    def test_are_those_whom_servers_mean(self) -> None:
        """Others get nothing of it."""
        found = profile((wimax.PMIP_IDENTITY, b"mn2@example.net"), rules=self.RULES)
        assert (found.home_address, found.mn_ha, found.session_timeout) == (0, None, 7200)

    @covers("AA24")
    def test_have_a_name_where_a_server_has_none_for_a_mac(self) -> None:
        said = Said(attributes_of(), CIPHER.decrypt)
        assert profile_of(said, self.RULES, self.MAC).nai == self.USER.nai
        with pytest.raises(AccessDenied, match="names no User-Name"):
            profile_of(said, self.RULES, "02-00-00-00-00-02")
        with pytest.raises(AccessDenied, match="names nobody"):
            profile_of(said, self.RULES, None)


@covers("AA12")
def test_keys_are_used_with_the_algorithm_of_the_realm() -> None:
    realms = {"example.net": RealmDefaults(algorithm=Algorithm.HMAC_SHA1)}
    found = profile(*WIMAX_KEY, rules=ProfileRules(realms=realms))
    assert found.mn_ha == SecurityAssociation(1000, KEYS["a"], Algorithm.HMAC_SHA1)
    assert profile(*WIMAX_KEY).mn_ha == SecurityAssociation(1000, KEYS["a"], Algorithm.HMAC_MD5)


VISITED = (
    (wimax.VHA_IP_MIP4, address("203.0.113.1")),
    (wimax.VHA_MIP4_KEY, hidden("c")),
    (wimax.VHA_MIP4_SPI, number(3000)),
    (wimax.VISITED_FRAMED_IP_ADDRESS, address("10.9.0.9")),
)


@covers("AA9")
def test_an_lma_of_the_visited_network_comes_with_its_own_key_and_address() -> None:
    home = ((wimax.HHA_IP_MIP4, address("192.0.2.1")), *WIMAX_KEY)
    framed: Given = (standard.FRAMED_IP_ADDRESS, address("10.1.0.50"))
    for found in (profile(*VISITED, framed), profile(*home, *VISITED, rules=ProfileRules(visited=True))):
        assert found.lmas == (ipv4("203.0.113.1"),)
        assert found.mn_ha == SecurityAssociation(3000, KEYS["c"])
        assert found.home_address == ipv4("10.9.0.9")
    found = profile(*home, *VISITED, framed)
    assert found.lmas == (ipv4("192.0.2.1"),)
    assert found.mn_ha == SecurityAssociation(1000, KEYS["a"])
    assert found.home_address == ipv4("10.1.0.50")


@pytest.mark.parametrize("length", [4, 6])
@pytest.mark.parametrize("seconds", [0, 60, 0x0202, 0x00000104, 0xFFFFFFFF])
def test_a_lifetime_whichever_way_its_length_is_counted(length: int, seconds: int) -> None:
    value = bytes((1, length)) + number(seconds)
    assert profile((threegpp2.MIP_LIFETIME, value)).lifetime == seconds


def test_a_lifetime_among_other_sub_attributes() -> None:
    value = b"\2\4ab" + b"\1\6" + number(900)
    assert profile((threegpp2.MIP_LIFETIME, value)).lifetime == 900
    assert profile((threegpp2.MIP_LIFETIME, b"\2\4ab")).lifetime == 0


def test_name_servers_of_3gpp2() -> None:
    value = b"\2\6" + address("9.9.9.2") + b"\1\6" + address("9.9.9.1") + b"\3\3\1"
    servers = (ipv4("9.9.9.1"), ipv4("9.9.9.2"))
    assert profile((threegpp2.DNS_SERVER_IP_ADDRESS, value)).name_servers == servers
    nowhere = b"\1\6" + bytes(4)
    assert profile((threegpp2.DNS_SERVER_IP_ADDRESS, nowhere)).name_servers == ()


@covers("AA8", "AA9")
@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([(wimax.FA_RK_SPI, number(300))], "no WiMAX-FA-RK-Key"),
        ([(wimax.FA_RK_KEY, hidden("c"))], "no WiMAX-FA-RK-SPI"),
        ([(wimax.FA_RK_SPI, number(3)), (wimax.FA_RK_KEY, hidden("c"))], "WiMAX-FA-RK-SPI 3 is reserved"),
        (
            [(wimax.FA_RK_SPI, number(300)), (wimax.FA_RK_KEY, b"in the clear, as it were")],
            "does not decrypt",
        ),
    ],
)
def test_what_no_service_rests_on_refuses_nobody(given: list[Given], text: str) -> None:
    found = profile(*WIMAX_KEY, *given)
    assert found.fa_rk is None and found.mn_ha is not None
    assert text in found.ignored and KEYS["c"].reveal().decode() not in found.ignored
    assert profile(*WIMAX_KEY).ignored == ""


@covers("AA8")
@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((wimax.MN_HHA_MIP4_SPI, number(255)), "WiMAX-MN-hHA-MIP4-SPI 255 is reserved"),
        ((wimax.MN_HHA_MIP4_SPI, b"\1\2"), "2 octets instead of 4"),
        ((wimax.MN_HHA_MIP4_KEY, b"clear key of 16.."), "does not decrypt"),
        ((wimax.MN_HHA_MIP4_KEY, CIPHER.encrypt(Secret(b"short"), b"\x80\2")), "5 octets instead of 16-64"),
        ((wimax.HHA_IP_MIP4, address("224.0.0.1")), "224.0.0.1 is no address of an LMA"),
        ((wimax.DNS_SERVER, b"\1\2\3"), "WiMAX-DNS-Server has 3 octets"),
        ((wimax.MIP_AUTHORIZATION_STATUS, number(0)), "AAA lets this node have no Mobile IP"),
        ((threegpp2.MIP_LIFETIME, b"\1\5abc"), "has 3 octets instead of 4"),
        ((threegpp2.MIP_LIFETIME, b"\1\x09abc"), "cannot be read"),
        ((threegpp2.DNS_SERVER_IP_ADDRESS, b"\1\4ab"), "has not 4 octets"),
        ((standard.FRAMED_IP_ADDRESS, address("127.0.0.1")), "no address for a mobile node"),
        ((standard.FILTER_ID, b"\xff"), "Filter-Id of the Access-Accept is no UTF-8 text"),
        ((standard.IDLE_TIMEOUT, b"\1"), "Idle-Timeout has 1 octets instead of 4"),
        ((standard.USER_NAME, b"another"), "2 values of User-Name"),
        ((wimax.PMIP_IDENTITY, b"two words"), "is no NAI"),
    ],
)
def test_what_cannot_be_refuses_by_name(given: Given, text: str) -> None:
    whole = dict(WIMAX_KEY) if given[0] in dict(WIMAX_KEY) else {}
    cause = refused(*(whole | dict([given])).items())
    assert text in cause


@covers("AA8")
def test_a_key_that_another_secret_encrypted_names_the_two_likely_causes() -> None:
    other = SaltCipher(Secret(b"another"), bytes(range(16))).encrypt(KEYS["a"], b"\x80\1")
    cause = refused((wimax.MN_HHA_MIP4_KEY, other), (wimax.MN_HHA_MIP4_SPI, number(1000)))
    assert "another shared secret" in cause
    assert "RADIUS proxy" in cause
    assert KEYS["a"].reveal().decode() not in cause


@covers("AA8")
@pytest.mark.parametrize("fragments", [(b"",), (b"\x80\1\2",), (b"\x07\0\0\0\1",)])
def test_fragments_that_make_no_value_refuse(fragments: tuple[bytes, ...]) -> None:
    attributes = Attributes.of(standard={1: (b"mn1@example.net",)}, vendor={wimax.HHA_IP_MIP4.key: fragments})
    with pytest.raises(AccessDenied, match="WiMAX-hHA-IP-MIP4 of the Access-Accept cannot be put together"):
        profile_of(Said(attributes, CIPHER.decrypt), ProfileRules(), "mn1")


def test_what_diameter_says_has_neither_salt_nor_fragments() -> None:
    attributes = Attributes.of(
        standard={1: (b"mn1@example.net",)},
        vendor={
            wimax.HHA_IP_MIP4.key: (address("192.0.2.1"),),
            wimax.MN_HHA_MIP4_KEY.key: (KEYS["a"].reveal(),),
            wimax.MN_HHA_MIP4_SPI.key: (number(1000),),
        },
    )
    found = profile_of(Said(attributes, Secret, fragmented=False), ProfileRules(), "mn1")
    assert found.mn_ha == SecurityAssociation(1000, KEYS["a"])
    assert found.lmas == (ipv4("192.0.2.1"),)


@covers("AA7")
def test_a_refusal_that_carries_keys_gives_none_of_them() -> None:
    from pmip_tw.wire.radius import Answer

    given = attributes_of(NAME, *WIMAX_KEY, (standard.CLASS, b"gold"), (standard.REPLY_MESSAGE, b"no\n"))
    answer = Answer(code=Code.ACCESS_REJECT, identifier=1, attributes=given, signed=True)
    found = verdict_of(answer, CIPHER, user_name="mn1", rules=ProfileRules(default_realm="example.net"))
    assert found == Reject('the AAA server rejects this MAC: "no"')


def test_who_has_no_name_is_named_by_the_realm_and_gets_what_holds_there() -> None:
    rules = ProfileRules(default_realm="example.org", realms={"example.org": RealmDefaults(lifetime=90)})
    said = Said(attributes_of(), CIPHER.decrypt)
    found = profile_of(said, rules, "02-00-00-00-00-01")
    assert (found.nai, found.lifetime) == ("02-00-00-00-00-01@example.org", 90)
