"""Which authenticator proves a request, and what it gets if none does: H3, H4 and H6 of RFC 5944 3.8.2.1.

Three things prove a request: MN-HA with the key of its node, MN-AAA with the key that the node shares with its AAA
server (RFC 4721), and, where 47 says that the MAG's association is meant, FA-HA or IPsec (RFC 5563 4.3). Whatever else
is there and has a key must verify as well; that of FA-HA beside MN-HA is looked at later (H6).
"""

from msgspec import Struct
from msgspec.structs import replace

from pmip_tw.addresses import ipv4_text
from pmip_tw.lma.keys.root_keys import RootKeys
from pmip_tw.lma.mags import KnownMag, shares_key
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.mobility.associations import AssociationTable, SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.mn_aaa import AaaTable
from pmip_tw.wire.codes import Code
from pmip_tw.wire.extension_fields import BY_FA_HA, BY_IPSEC
from pmip_tw.wire.extensions import FA_HA, MN_HA, PROXY_SKIPPABLE
from pmip_tw.wire.registration import REQUEST_HEADER, RegistrationRequest, challenge_is_answered
from pmip_tw.wire.renewal import RenewalForm, form_in, layout_of, leading_nai


class Proof(Struct, frozen=True, kw_only=True):
    """The request is authentic. ``authenticator``: octets that no other request has.

    ``mn_ha``, ``fa_ha``: what signs the answer. ``fa_ha_valid``: the request itself has exactly one FA-HA, a right one.
    """

    authenticator: bytes
    mn_ha: SecurityAssociation | None
    fa_ha: SecurityAssociation | None
    fa_ha_valid: bool


class Voucher(Struct, frozen=True, kw_only=True):
    """What AAA gives with its word that a request is the node's (RFC 4004): what signs the answer, None for whatever
    would, and for how long at most that registers, in seconds.
    """

    mn_ha: SecurityAssociation | None
    fa_ha: SecurityAssociation | None = None
    longest: int = 0xFFFF


class Unproven(Struct, frozen=True, kw_only=True):
    """The request is not authentic: ``reason`` and ``cause`` for the observers.

    ``code``: the answer, signed with ``mn_ha`` and ``fa_ha``; None: there is none. ``vouched``: another
    authenticator of it is valid, so that it is answered however often it comes (H4).
    ``known``: an operator has configured this node; anyone may name a NAI. ``spi``: of MN-HA, if only a key of that SPI
    could prove the request; 0 else. ``aaa_spi``: of MN-AAA, if only AAA could.
    """

    reason: str
    cause: str
    code: Code | None = None
    mn_ha: SecurityAssociation | None = None
    fa_ha: SecurityAssociation | None = None
    vouched: bool = False
    known: bool = False
    spi: int = 0
    aaa_spi: int = 0


class Prover:
    """Knows the keys of the mobile nodes; a MAG brings its own, or it follows from one of ``root_keys``."""

    def __init__(
        self, associations: AssociationTable, aaa: AaaTable, root_keys: RootKeys | None = None
    ) -> None:
        self._associations = associations
        self._aaa = aaa
        self._root_keys = root_keys

    def by_octets(self, payload: bytes) -> tuple[RenewalForm, SecurityAssociation] | Unproven | None:
        """Whether MN-HA, the only authenticator, proves a request of the usual form that nobody has read yet.

        None: it has another form. A flood of such requests costs no more than their authenticators.
        """
        layout = layout_of(payload)
        if layout is None:
            return None
        covered = layout[-1]
        nai, spi = leading_nai(payload), int.from_bytes(payload[covered - 4 : covered], "big")
        keyed = self._associations.find(nai, spi)
        if keyed is None:
            return self._no_key(nai, f"with SPI {spi}", spi)
        used = keyed.verified_by(payload[:covered], payload[covered:])
        return wrong_mn_ha(keyed, spi) if used is None else (form_in(*layout), used)

    def prove(
        self,
        payload: bytes,
        request: RegistrationRequest,
        mag: KnownMag | None,
        header: int = REQUEST_HEADER.size,
    ) -> Proof | Unproven:
        """``request`` was decoded from ``payload``, whose extensions begin behind ``header`` octets; ``mag``: who
        seems to have sent it.
        """
        if MN_HA in request.repeated or (FA_HA in request.repeated and not shares_key(mag)):
            return _discard(
                "repeated-authenticator", "the request has an authentication extension twice (E5)"
            )
        if request.challenge is not None and not challenge_is_answered(
            payload, draft03=request.draft03, header=header
        ):
            cause = "its challenge is followed by no MN-AAA or MN-FA extension (RFC 4721 3.4)"
            return _discard("challenge-unanswered", cause)
        fa_ha, valid = self._between_agents(payload, request, mag)
        if request.mn_ha is not None or request.mn_aaa is not None:
            return self._by_node(payload, request, fa_ha, valid)
        if request.per_node is None:
            return _discard("no-authenticator", "nothing in the request proves who sent it (H3)")
        if request.fa_ha is not None and shares_key(mag):
            if not valid:
                cause = (
                    f"the FA-HA authenticator with SPI {request.fa_ha.spi} is wrong or not the MAG's (H4, H6)"
                )
                return _discard("bad-authenticator", cause, code=Code.HA_FA_AUTH, fa_ha=fa_ha)
            return Proof(authenticator=request.fa_ha.value, mn_ha=None, fa_ha=fa_ha, fa_ha_valid=True)
        if request.per_node == BY_IPSEC and mag is not None and mag.mode is AuthenticationMode.IPSEC:
            if not mag.protected:
                cause = "no kernel policy makes UDP 434 from there come through ESP: see the log of the start (P74)"
                return _discard("ipsec-not-enforced", cause, code=Code.PMIP_UNSUPPORTED)
            return Proof(authenticator=payload, mn_ha=None, fa_ha=None, fa_ha_valid=False)
        if request.fa_ha is not None:
            return _discard(
                "no-association", f"no MAG is known with FA-HA SPI {request.fa_ha.spi} there (H3)"
            )
        return _discard("no-authenticator", "nothing in the request proves who sent it (H3)")

    def _by_node(
        self,
        payload: bytes,
        request: RegistrationRequest,
        fa_ha: SecurityAssociation | None,
        fa_ha_valid: bool,
    ) -> Proof | Unproven:
        """MN-HA, MN-AAA or both; MN-AAA beside MN-HA is checked if there is a key for it."""
        node, aaa = request.mn_ha, request.mn_aaa
        mn_ha = None
        authenticator = b""
        known = self._associations.knows(request.nai)
        if node is not None:
            keyed = self._associations.find(request.nai, node.spi)
            if keyed is None:
                return self._no_key(
                    request.nai, f"with SPI {node.spi}", node.spi, fa_ha if fa_ha_valid else None
                )
            mn_ha = keyed.verified_by(payload[: node.covered], node.value)
            if mn_ha is None:
                return wrong_mn_ha(keyed, node.spi, fa_ha, vouched=fa_ha_valid)
            authenticator = node.value
        if aaa is not None:
            key = self._aaa.find(request.nai, aaa.spi)
            if key is None and mn_ha is None:
                no_key = self._no_key(
                    request.nai, f"for MN-AAA with SPI {aaa.spi}", fa_ha=fa_ha if fa_ha_valid else None
                )
                return replace(no_key, aaa_spi=aaa.spi)
            if key is not None:
                mn_ha = mn_ha or key.answers_with
                if not key.association.verify(payload[: aaa.covered], aaa.value, request.challenge):
                    return Unproven(
                        reason="bad-authenticator",
                        cause=f"the MN-AAA authenticator with SPI {aaa.spi} is wrong (RFC 4721 6)",
                        code=Code.HA_BAD_AAA_AUTH,
                        mn_ha=mn_ha,
                        fa_ha=fa_ha,
                        vouched=fa_ha_valid or node is not None,
                        known=known,
                    )
                authenticator = authenticator or aaa.value
        return Proof(authenticator=authenticator, mn_ha=mn_ha, fa_ha=fa_ha, fa_ha_valid=fa_ha_valid)

    def vouched(
        self, payload: bytes, request: RegistrationRequest, mag: KnownMag | None, voucher: Voucher
    ) -> Proof | None:
        """Of a request that has MN-AAA alone, which AAA has found to be right; None: nothing could sign the answer."""
        assert request.mn_aaa is not None
        if voucher.mn_ha is None or voucher.mn_ha.is_missing:
            return None
        fa_ha, valid = self._between_agents(payload, request, mag)
        return Proof(authenticator=request.mn_aaa.value, mn_ha=voucher.mn_ha, fa_ha=fa_ha, fa_ha_valid=valid)

    def recall(self, payload: bytes, request: RegistrationRequest, mag: KnownMag | None) -> Proof | None:
        """Of a request that was believed before, and which a key proves that is missing; None: that is not the case."""
        node = request.mn_ha or request.mn_aaa
        keyed = None if node is None else self._associations.find(request.nai, node.spi)
        if node is None or keyed is None or not keyed.is_missing:
            return None
        fa_ha, valid = self._between_agents(payload, request, mag)
        return Proof(authenticator=node.value, mn_ha=keyed, fa_ha=fa_ha, fa_ha_valid=valid)

    def _no_key(
        self, nai: bytes, which: str, spi: int = 0, fa_ha: SecurityAssociation | None = None
    ) -> Unproven:
        """``fa_ha``: whose authenticator is right, and could sign an answer."""
        name = nai.decode(errors="replace")
        return Unproven(
            reason="no-association",
            cause=f"no key is configured for {name!r} {which} (H3)",
            known=self._associations.knows(nai),
            spi=spi,
            fa_ha=fa_ha,
            vouched=fa_ha is not None,
        )

    def _between_agents(
        self, payload: bytes, request: RegistrationRequest, mag: KnownMag | None
    ) -> tuple[SecurityAssociation | None, bool]:
        """What signs the answer to the MAG, and whether its own FA-HA is there once and right."""
        found = request.fa_ha
        if not shares_key(mag):
            if found is None or self._root_keys is None or FA_HA in request.repeated:
                return None, False
            derived = self._root_keys.association(found.spi, request.care_of_address)
            if derived is None or not derived.verify(payload[: found.covered], found.value):
                return None, False
            return derived, True
        if found is not None and FA_HA not in request.repeated:
            keyed = mag.association(found.spi)
            used = None if keyed is None else keyed.verified_by(payload[: found.covered], found.value)
            if used is not None:
                return used, True
        return mag.associations[0], False


def wrong_mn_ha(
    keyed: SecurityAssociation, spi: int, fa_ha: SecurityAssociation | None = None, *, vouched: bool = False
) -> Unproven:
    """H4: MN-HA was not made with the node's key; ``keyed`` is the one that it names by ``spi``."""
    return Unproven(
        reason="bad-authenticator",
        cause=f"the MN-HA authenticator with SPI {spi} is wrong: the sender's key is not ours (H4)",
        code=Code.HA_MN_AUTH,
        mn_ha=keyed,
        fa_ha=fa_ha,
        vouched=vouched,
        known=True,
    )


def objection_between_agents(
    request: RegistrationRequest, mag: KnownMag | None, proof: Proof
) -> Refusal | Unproven | None:
    """H6: what is wrong with the FA-HA of a proven request: 132, or silence where no key is shared; None: nothing.

    A de-registration may come without (A2), unless FA-HA is what proves requests (P39). One that nobody can check may
    stand in a de-registration, but a 147 behind MN-HA needs a better proof: it says whose binding ends (P10, P23).
    """
    if shares_key(mag):
        if proof.fa_ha_valid or not (request.lifetime or request.fa_ha or request.per_node == BY_FA_HA):
            return None
        cause = f"no single valid FA-HA extension, although {ipv4_text(mag.address)} has a key for it (H6)"
        return Refusal(Code.HA_FA_AUTH, cause)
    if proof.fa_ha_valid:
        return None  # by a key of AAA (AA13)
    needed = (request.lifetime and request.per_node is None) or PROXY_SKIPPABLE in request.agent_part
    if request.fa_ha is not None and needed:
        cause = "the request has an FA-HA extension, and no key is shared with that MAG (H6)"
        return _discard("no-association", cause)
    return None


def _discard(
    reason: str, cause: str, *, code: Code | None = None, fa_ha: SecurityAssociation | None = None
) -> Unproven:
    return Unproven(reason=reason, cause=cause, code=code, fa_ha=fa_ha)
