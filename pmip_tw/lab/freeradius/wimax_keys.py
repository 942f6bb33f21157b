"""Mobile IPv4 keys from the EMSK of an EAP authentication, as the WiMAX Forum derives them.

FreeRADIUS 3.2 runs a copy of this file with its own reply in the environment, because its rlm_wimax derives other
keys than the specification. It needs nothing but Python, and prints what the reply is to have.
"""

import hashlib
import hmac
import os
import socket


def derived(emsk: bytes, nai: str, home_agent: str) -> str:
    """The attributes of key and SPI for Proxy Mobile IPv4 with that LMA, and the SPI of the FA-RK."""
    usage = b"miprk@wimaxforum.org\0\x02\0"
    first = hmac.digest(emsk, usage + b"\x01", hashlib.sha256)
    root = first + hmac.digest(emsk, first + usage + b"\x02", hashlib.sha256)
    spi = int.from_bytes(hmac.digest(root, b"SPI CMIP PMIP", hashlib.sha256)[:4], "big")
    spi += 256 if spi < 256 else 0
    key = hmac.digest(root, b"PMIP4 MN HA" + socket.inet_aton(home_agent) + nai.encode(), hashlib.sha1)
    return (
        f"WiMAX-MN-hHA-MIP4-Key := 0x{key.hex()}, WiMAX-MN-hHA-MIP4-SPI := {(spi + 1) & 0xFFFFFFFF}, "
        f"WiMAX-FA-RK-SPI := {spi}"
    )


def main() -> None:
    """What rlm_exec wants: one line."""
    reply = {
        name: os.environ.get(name, "").strip('"') for name in ("EAP-EMSK", "User-Name", "WiMAX-hHA-IP-MIP4")
    }
    print(derived(bytes.fromhex(reply["EAP-EMSK"][2:]), reply["User-Name"], reply["WiMAX-hHA-IP-MIP4"]))


if __name__ == "__main__":
    main()
