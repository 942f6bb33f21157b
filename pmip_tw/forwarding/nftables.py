"""Tables of our own in the kernel's firewall, by the program nft; whatever else the operator has stays as it is."""

import re
import subprocess

from pmip_tw.errors import ForwardingError

SECONDS = 10


def table_of(interface: str) -> str:
    """The name of ours about ``interface``.

    Another interface's table must not get the same name: that would be replaced, and the fence be gone.
    """
    return "pmip_tw_" + re.sub(r"[^A-Za-z0-9_.-]", lambda odd: f"_{ord(odd[0]):x}_", interface)


def nothing_in(family: str, table: str) -> str:
    """The commands after which there is no such table, whether there was one or not."""
    return f"table {family} {table}\ndelete table {family} {table}\n"


def run(script: str, subject: str, otherwise: str) -> None:
    """``otherwise``: what it means to do without. ForwardingError: nft is missing, or refuses."""
    try:
        done = subprocess.run(
            ["nft", "-f", "-"], input=script, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except FileNotFoundError as error:
        text = f"the program nft is missing; install nftables ({otherwise})"
        raise ForwardingError("set", subject, text) from error
    except subprocess.TimeoutExpired as error:
        raise ForwardingError("set", subject, f"nft gave no answer in {SECONDS} seconds") from error
    if done.returncode:
        complaint = (done.stderr.strip().splitlines() or ["no reason given"])[0]
        raise ForwardingError("set", subject, f"nft says: {complaint} (root or CAP_NET_ADMIN is needed)")
