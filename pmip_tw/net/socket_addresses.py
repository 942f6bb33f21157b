"""How the socket module writes endpoints, and how we do: the same few thousand peers over and over."""

import socket

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text

SocketAddress = tuple[str, int]
"""``("192.0.2.1", 434)``."""

MOST = 16_384
"""Peers kept each way. Beyond that all are forgotten, which costs nobody more than his first datagram did."""


class _Endpoints(dict[SocketAddress, Endpoint]):
    def __missing__(self, address: SocketAddress) -> Endpoint:
        if len(self) >= MOST:
            self.clear()
        host, port = address
        endpoint = self[address] = Endpoint(Ipv4(int.from_bytes(socket.inet_aton(host), "big")), port)
        return endpoint


class _SocketAddresses(dict[Endpoint, SocketAddress]):
    def __missing__(self, endpoint: Endpoint) -> SocketAddress:
        if len(self) >= MOST:
            self.clear()
        address = self[endpoint] = (ipv4_text(endpoint.address), endpoint.port)
        return address


ENDPOINTS = _Endpoints()
"""``ENDPOINTS[address]``: what the socket module calls ``address``, one value for as long as it is kept."""

SOCKET_ADDRESSES = _SocketAddresses()
"""``SOCKET_ADDRESSES[endpoint]``: the way back."""
