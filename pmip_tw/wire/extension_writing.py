"""The extensions of a registration message to octets, in the order of docs/requirements.md, and its authenticators."""

from struct import Struct

from pmip_tw.wire.authentication import Signs, append_received, append_signature
from pmip_tw.wire.extension_fields import ACCESS_TECHNOLOGY, PER_NODE_METHOD, ExtensionFields
from pmip_tw.wire.extensions import (
    CHALLENGE,
    FA_ERROR,
    FA_HA,
    GENERALIZED_AUTHENTICATION,
    GRE_KEY,
    MESSAGE_STRING,
    MN_HA,
    NAI,
    PROXY_NON_SKIPPABLE,
    PROXY_SKIPPABLE,
    REVOCATION_SUPPORT,
    long,
    simple,
)

_KEY = Struct("!I")

_DRAFT03_MODE = bytes((PROXY_NON_SKIPPABLE, PER_NODE_METHOD))
"""The Mode extension of draft-leung-mip4-proxy-mode-03 5.1, in every message of its time."""


def write_message(  # noqa: PLR0912 - one branch per extension, in their order
    fixed: bytes,
    message: ExtensionFields,
    *,
    mn_ha: Signs | None,
    mn_aaa: Signs | None,
    fa_ha: Signs | None,
) -> bytes:
    """``fixed`` and the extensions of ``message``, authenticated with the associations that are given.

    Where none is given, the authenticator that ``message`` holds goes in as it is.
    """
    node_part = [fixed]
    if message.nai:
        node_part.append(simple(NAI, message.nai))
    if message.draft03:
        node_part.append(_DRAFT03_MODE)
    if message.per_node is not None:
        node_part.append(_per_node(message.per_node, draft03=message.draft03))
    for subtype, data in message.identifiers:
        node_part.append(simple(PROXY_SKIPPABLE, bytes((subtype,)) + data))
    if message.access_technology is not None:
        node_part.append(bytes((PROXY_SKIPPABLE, 2, ACCESS_TECHNOLOGY, message.access_technology)))
    if message.dynamic_home_agent is not None:
        node_part.append(message.dynamic_home_agent.encode())
    # These may stand on either side of MN-HA (N2, N3, N22).
    agent_part: list[bytes] = []
    if message.gre_key is not None:
        part = agent_part if GRE_KEY in message.agent_part else node_part
        part.append(long(GRE_KEY, 0, _KEY.pack(message.gre_key)))
    if message.udp_tunnel is not None:
        extension = message.udp_tunnel.encode()
        part = agent_part if extension[0] in message.agent_part else node_part
        part.append(extension)
    if message.revocation is not None:
        part = agent_part if REVOCATION_SUPPORT in message.agent_part else node_part
        part.append(message.revocation.encode())
    if message.message is not None:
        part = agent_part if MESSAGE_STRING in message.agent_part else node_part
        part.append(message.message.encode())
    node_part += message.unknown
    whole = b"".join(node_part)
    if mn_ha is not None:
        whole = append_signature(whole, MN_HA, mn_ha)
    elif message.mn_ha is not None:
        whole = append_received(whole, MN_HA, message.mn_ha)
    if message.challenge is not None:
        whole += simple(CHALLENGE, message.challenge)
    if mn_aaa is not None:
        whole = append_signature(whole, GENERALIZED_AUTHENTICATION, mn_aaa)
    elif message.mn_aaa is not None:
        whole = append_received(whole, GENERALIZED_AUTHENTICATION, message.mn_aaa)
    if message.fa_error is not None:
        agent_part.append(simple(FA_ERROR, bytes((0, message.fa_error))))
    if agent_part or message.trailing:
        whole += b"".join((*agent_part, *message.trailing))
    if fa_ha is not None:
        whole = append_signature(whole, FA_HA, fa_ha)
    elif message.fa_ha is not None:
        whole = append_received(whole, FA_HA, message.fa_ha)
    return whole


def _per_node(per_node: tuple[int, bytes], *, draft03: bool) -> bytes:
    subtype, method = per_node
    if draft03:
        return bytes((PROXY_NON_SKIPPABLE, subtype, 0)) + method
    return long(PROXY_NON_SKIPPABLE, subtype, method)
