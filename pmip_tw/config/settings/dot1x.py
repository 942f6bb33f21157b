"""``[mag.dot1x]``, and how nodes of an access interface are authenticated."""

from typing import Annotated, Literal

import attrs

from pmip_tw.config.limits import Within

PortAuthentication = Literal["mac", "802.1x", "802.1x-or-mac", "radius-proxy"]


@attrs.frozen(slots=True, kw_only=True)
class Dot1xSettings:
    """Durations in seconds; ``max_tries`` of one Request; ``max_conversations`` and ``max_new`` (a second): of nodes
    that are not served yet, on one interface.
    """

    reauth_period: Annotated[float, Within(0, 604_800)] = 3600
    tx_period: Annotated[float, Within(0.5, 300)] = 3
    max_tries: Annotated[int, Within(1, 20)] = 5
    quiet_period: Annotated[float, Within(1, 3600)] = 30
    server_timeout: Annotated[float, Within(1, 300)] = 30
    mac_after: Annotated[float, Within(0.5, 300)] = 3
    max_conversations: Annotated[int, Within(1, 65536)] = 256
    max_new: Annotated[int, Within(1, 10_000)] = 100
