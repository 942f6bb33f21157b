"""Which worker may have given a home address to a node."""

from collections.abc import Iterable, Mapping, Sequence

from pmip_tw.addresses import Ipv4
from pmip_tw.lma.addresses.address_pool import HomeLink
from pmip_tw.lma.workers.lender import Lender
from pmip_tw.lma.workers.slices import worker_of_nai
from pmip_tw.mobility.tunnels import AnchorKey


class Holders:
    """``links``: of the pools, in the order of the configuration; ``static``: fixed home addresses by NAI."""

    def __init__(
        self, lender: Lender, links: Sequence[HomeLink], static: Mapping[str, Ipv4], workers: int
    ) -> None:
        self._lender = lender
        self._links = links
        self._workers = workers
        self._static: dict[Ipv4, list[str]] = {}
        for nai, address in static.items():
            self._static.setdefault(address, []).append(nai)

    def of_address(self, address: Ipv4) -> list[int]:
        """In whatever address space (P85)."""
        return list(dict.fromkeys([*self._lent(address, self._links), *self._fixed(address)]))

    def of_key(self, key: AnchorKey) -> list[int]:
        """In one address space; the fixed ones of other spaces come along."""
        links = [link if link.domain == key.domain else None for link in self._links]
        return list(dict.fromkeys([*self._lent(key.home_address, links), *self._fixed(key.home_address)]))

    def _lent(self, address: Ipv4, links: Iterable[HomeLink | None]) -> list[int]:
        found = (
            self._lender.whose(number, address)
            for number, link in enumerate(links)
            if link is not None and address in link.prefix
        )
        return [worker for worker in found if worker is not None]

    def _fixed(self, address: Ipv4) -> list[int]:
        return [worker_of_nai(nai.encode(), self._workers) for nai in self._static.get(address, ())]
