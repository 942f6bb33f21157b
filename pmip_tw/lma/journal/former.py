"""Bindings that a former process has left, before anybody asks for them: there may be a million at a start.

Of nearly all only the record is kept, with what finds it and what ends it. It becomes a binding when its node is heard
of again, or an operator looks.
"""

from collections.abc import Iterable, Iterator, Mapping

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Endpoint, Ipv4
from pmip_tw.errors import WireError
from pmip_tw.lma.bindings import Binding, NegotiatedRevocation
from pmip_tw.lma.journal.records import Bound
from pmip_tw.lma.registration.commitment import Asked
from pmip_tw.lma.registration.granting import Granting
from pmip_tw.lma.registration.intake import Intake
from pmip_tw.lma.registration.tunnelling import direct_tunnel
from pmip_tw.lma.revocation.negotiating import offered
from pmip_tw.lma.session.limits import Limits
from pmip_tw.mobility.packet_filters import PacketFilter, chosen
from pmip_tw.mobility.tunnels import AlikeEntries, AnchorKey, Encapsulation, Tunnel
from pmip_tw.wire.renewal import RenewalForm, form_of

_MOST = 4096
"""Frames that are remembered."""


class Former:
    """From records to bindings. ``local``: our address, at which tunnels end."""

    def __init__(
        self, local: Ipv4, intake: Intake, granting: Granting, filters: Mapping[str, PacketFilter]
    ) -> None:
        self._local = local
        self._intake = intake
        self._granting = granting
        self._filters = filters
        # By octets of a request and of its NAI; and what tells that one is of that form, see ``RenewalForm.framed``.
        self._forms: dict[tuple[int, int], RenewalForm] = {}
        self._frames: set[tuple[bytes, bytes, bytes, bytes]] = set()

    def may_wait(self, records: Iterable[Bound]) -> list[Bound]:
        """Those of which nothing but its node, or an operator, needs more than the record: its request, which was
        believed before, would get through ``binding`` as it is configured today. ``binding`` must look at the others.

        That a key is the same is not looked at: there may be a million of them.
        """
        if not self._intake.reads_alike:
            return []
        # Those that are laid out alike are looked at together.
        by_shape: dict[tuple[int, int], list[Bound]] = {}
        for record in records:
            special = record.others or record.remote_port or record.filter_ids
            if not (special or record.key_in is not None):
                by_shape.setdefault((len(record.request), len(record.owner)), []).append(record)
        found: list[Bound] = []
        frames, has_key = self._frames, self._intake.has_key
        for shape, alike in by_shape.items():
            form = self._forms.get(shape) or next(filter(None, map(self._learn, alike)), None)
            if form is None:
                continue
            parts = form.framed([record.request for record in alike])
            for record, (home_agent, name, nai, asked, mn_ha, spi) in zip(alike, parts, strict=True):
                known = (home_agent, name, asked, mn_ha) in frames or self._learn(record) is form
                if known and nai == record.owner and has_key(nai, spi, record.source_address):
                    found.append(record)
        return found

    def _learn(self, record: Bound) -> RenewalForm | None:
        """The form of its request, and of those that are like it; None: it is not plain, or for another home agent."""
        request = record.request
        form = form_of(request)
        if form is None or form.home_agent(request) != self._local:
            return None
        if len(self._frames) >= _MOST:
            self._frames.clear()
            self._forms.clear()
        self._forms[len(request), len(record.owner)] = form
        home_agent, name, _, asked, mn_ha, _ = next(form.framed([request]))
        self._frames.add((home_agent, name, asked, mn_ha))
        return form

    def binding(self, record: Bound) -> Binding | None:
        """None: today's configuration does not prove its request, or has not its filters, or it is not for us."""
        asked = self.recall(record.request, record.source_address, record.source_port)
        filters, unknown = chosen(self._filters, record.filter_ids or ())
        if asked is None or unknown:
            return None
        return self._made(record, asked).allowed(filters, self.limits(record))

    def waited(self, record: Bound) -> Binding:
        """One that could wait, now that somebody asks for it."""
        source = Endpoint(record.source_address, record.source_port)
        made = self._made(record, self._intake.remembered(record.request, source, self._local))
        limits = self.limits(record)
        return made if limits is None else made.allowed((), limits)

    @staticmethod
    def limits(record: Bound) -> Limits | None:
        """Said at its last registration, or before: whatever AAA says from now on counts instead.

        A version that knew no limits had filters by a CoA alone, which stays as it was (AA18).
        """
        said_at = record.deadline - record.lifetime
        if record.limits is None:
            return None if record.filter_ids is None else Limits(said_at=said_at)
        session_ends, idle_timeout, interim_interval = record.limits
        return Limits(
            said_at=said_at,
            session_ends=session_ends,
            idle_timeout=idle_timeout,
            interim_interval=interim_interval,
        )

    def _made(self, record: Bound, asked: Asked) -> Binding:
        revocation, offer = None, offered(asked)
        if record.own_timestamp is not None and offer is not None:
            revocation = NegotiatedRevocation(
                own_timestamp=record.own_timestamp, peer_timestamp=offer.timestamp, inform=record.inform
            )
        return self._granting.binding(
            asked,
            AnchorKey(record.home_address, record.domain),
            self._tunnel(record),
            record.lifetime,
            record.deadline,
            moved_at=record.moved_at,
            revocation=revocation,
            restored=True,
        )

    def entries(self, records: Iterable[Bound]) -> Iterator[AlikeEntries]:
        """What the packet plane must hold for those that wait."""
        alike: dict[tuple[Ipv4, int, str], list[Ipv4]] = {}
        for record in records:
            terms = (record.remote, record.encapsulation, record.domain)
            found = alike.get(terms)
            if found is None:
                alike[terms] = [record.home_address]
            else:
                found.append(record.home_address)
        for (remote, encapsulation, domain), home_addresses in alike.items():
            tunnel = direct_tunnel(self._local, remote, Encapsulation(encapsulation))
            yield AlikeEntries(tunnel, domain, home_addresses)

    def recall(self, request: bytes, source_address: Ipv4, source_port: int) -> Asked | None:
        """The request once more; None: by today's configuration it is nobody's, or not for us."""
        try:
            asked = self._intake.recall(request, Endpoint(source_address, source_port), self._local)
        except WireError:
            return None
        if asked is None or asked.request.home_agent not in (self._local, UNSPECIFIED, ALL_ONES):
            return None
        return asked

    def _tunnel(self, record: Bound) -> Tunnel:
        encapsulation = Encapsulation(record.encapsulation)
        if not record.remote_port and record.key_in is None:
            return direct_tunnel(self._local, record.remote, encapsulation)
        return Tunnel(
            local=self._local,
            remote=record.remote,
            remote_port=record.remote_port,
            encapsulation=encapsulation,
            key_in=record.key_in,
            key_out=record.key_out,
        )
