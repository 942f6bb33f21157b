"""Routes to our devices, and rules that choose a routing table, by rtnetlink.

pyroute2 takes 150 ms to import, which only a starting anchor should pay.
"""

import errno
import socket
from typing import Any

from pmip_tw.addresses import Prefix
from pmip_tw.errors import ForwardingError


def add_route(prefix: Prefix, device: str, table: int | None) -> None:
    """``prefix`` leads to ``device``, in ``table`` or the main one; the route goes with the device.

    ForwardingError: there is one already, or we may not.
    """
    route: dict[str, Any] = {"dst": str(prefix), "oif": socket.if_nametoindex(device)}
    if table is not None:
        route["table"] = table
    code = _ask("route", str(prefix), "route", "add", route, (errno.EEXIST,))
    if code:
        where = "" if table is None else f" in table {table}"
        text = f"the kernel has a route for it already{where}; remove it"
        raise ForwardingError("route", str(prefix), text, code)


def add_rule(device: str, table: int) -> None:
    """What comes in by ``device`` is routed by ``table`` first. One that a crashed process left is as good."""
    _ask("add a rule for", device, "rule", "add", {"iifname": device, "table": table}, (errno.EEXIST,))


def remove_rule(device: str, table: int) -> None:
    """Perhaps somebody was faster: then it is gone as well."""
    _ask("remove the rule for", device, "rule", "del", {"iifname": device, "table": table}, (errno.ENOENT,))


def _ask(
    operation: str, subject: str, what: str, command: str, fields: dict[str, Any], expected: tuple[int, ...]
) -> int:
    """0, or which of the ``expected`` errors the kernel gave. ForwardingError: another one."""
    from pyroute2 import IPRoute  # noqa: PLC0415
    from pyroute2.netlink.exceptions import NetlinkError  # noqa: PLC0415

    try:
        with IPRoute() as netlink:
            getattr(netlink, what)(command, **fields)
    except NetlinkError as error:
        code = int(error.code)
        if code in expected:
            return code
        raise ForwardingError(operation, subject, str(error), code) from error
    except OSError as error:
        raise ForwardingError(operation, subject, str(error), error.errno or 0) from error
    return 0
