"""What the lease files of ordinary DHCP servers say."""

from pmip_tw.addresses import ipv4, mac
from pmip_tw.lab.dhcp_servers import agent_options, dnsmasq_leases, kea_leases

KEA = """\
address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context
10.1.0.100,02:00:00:00:00:01,,600,1795321416,1,0,0,,0,{ "ISC": { "relay-agent-info": "0x01046D6167310604C0A80101" } }
10.1.0.101,02:00:00:00:00:02,,600,1795321417,1,0,0,,0,
10.1.0.100,02:00:00:00:00:01,,600,1795321456,1,0,0,,0,{ "ISC": { "relay-agent-info": "0x01046D616732" } }
10.1.0.101,02:00:00:00:00:02,,0,1795320817,1,0,0,,0,
"""
DNSMASQ = """\
1795321889 02:4e:41:54:11:01 10.1.0.145 * 01:02:4e:41:54:11:01
1795321890 02:4e:41:54:11:02 10.1.0.146 host *
"""
TOLD = """\
10.1.0.145 circuit-id=6d6167 remote-id= subscriber-id=6d6e31
10.1.0.145 circuit-id=6d616732 remote-id=024e41541101 subscriber-id=6d6e31
"""


def test_keas_last_line_about_an_address_counts_and_a_lifetime_of_0_is_an_end() -> None:
    (lease,) = kea_leases(KEA)
    assert (lease.address, lease.mac) == (ipv4("10.1.0.100"), mac("02:00:00:00:00:01"))
    assert lease.ends == 1795321456
    assert lease.agent == {"circuit-id": b"mag2"}


def test_a_file_that_is_not_there_yet_has_no_leases() -> None:
    assert kea_leases("") == []
    assert dnsmasq_leases("", "") == []


def test_dnsmasqs_leases_with_what_its_script_was_told_last() -> None:
    first, second = dnsmasq_leases(DNSMASQ, TOLD)
    assert (first.address, first.ends) == (ipv4("10.1.0.145"), 1795321889)
    assert first.agent == {
        "circuit-id": b"mag2",
        "remote-id": bytes.fromhex("024e41541101"),
        "subscriber-id": b"mn1",
    }
    assert (second.mac, second.agent) == (mac("02:4e:41:54:11:02"), {})


def test_sub_options_have_names_or_numbers() -> None:
    assert agent_options(bytes.fromhex("0104") + b"port" + bytes.fromhex("0a0180")) == {
        "circuit-id": b"port",
        "10": b"\x80",
    }
