"""One value for each peer, and a bound."""

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.net.socket_addresses import ENDPOINTS, MOST, SOCKET_ADDRESSES


def test_there_and_back() -> None:
    endpoint = ENDPOINTS["192.0.2.1", 434]
    assert endpoint == Endpoint(ipv4("192.0.2.1"), 434)
    assert ENDPOINTS["192.0.2." + str(1), 434] is endpoint
    assert SOCKET_ADDRESSES[endpoint] == ("192.0.2.1", 434)


def test_whoever_forges_sources_fills_no_memory() -> None:
    for port in range(2 * MOST):
        ENDPOINTS["192.0.2.1", port]
        SOCKET_ADDRESSES[Endpoint(ipv4("192.0.2.1"), port)]
        assert len(ENDPOINTS) <= MOST
        assert len(SOCKET_ADDRESSES) <= MOST
    assert ENDPOINTS["192.0.2.1", 1] == Endpoint(ipv4("192.0.2.1"), 1)
