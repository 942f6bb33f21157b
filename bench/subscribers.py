"""Mobile nodes whose MACs a RADIUS server knows, as FreeRADIUS's files have them, and as radclient asks about them."""

from pmip_tw.addresses import Mac, mac_text

IDENTITY = "mag1.example.net"
ACCESS_PORT = "eth1"
NUMBER = 100


def macs() -> list[Mac]:
    return [Mac(b"\2\0\0\0" + number.to_bytes(2, "big")) for number in range(NUMBER)]


def users() -> str:
    """The file of FreeRADIUS: what a MAG needs of each, the key salt-encrypted on its way."""
    return "\n".join(
        f'{_name(who)} Cleartext-Password := "{_name(who)}"\n'
        f'    User-Name = "mn{number}@bench.example",\n'
        "    3GPP2-Home-Agent-IP-Address = 192.0.2.1,\n"
        f"    3GPP2-MN-HA-SPI = {4096 + number},\n"
        '    3GPP2-MN-HA-Shared-Key = "0123456789abcdef"\n'
        for number, who in enumerate(macs())
    )


def questions() -> str:
    """The file of radclient: the same attributes that a MAG sends."""
    return "\n".join(
        f'User-Name = "{_name(who)}"\n'
        f'User-Password = "{_name(who)}"\n'
        "Service-Type = Call-Check\n"
        f'Calling-Station-Id = "{_name(who).upper()}"\n'
        f'NAS-Identifier = "{IDENTITY}"\n'
        "NAS-Port-Type = Ethernet\n"
        f'NAS-Port-Id = "{ACCESS_PORT}"\n'
        "Message-Authenticator = 0x00\n"
        for who in macs()
    )


def _name(who: Mac) -> str:
    return mac_text(who, "-")
