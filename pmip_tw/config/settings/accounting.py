"""``[mag.accounting]`` and ``[lma.accounting]`` as typed values; ``conf/*.toml`` explain them."""

from typing import Annotated, Literal

import attrs

from pmip_tw.config.limits import Within
from pmip_tw.config.settings.value_types import Journal

DialectName = Literal["as-profile", "standard", "3gpp2", "wimax"]

_Interim = Annotated[int, Within(0, 86_400)]
_Mebibytes = Annotated[int, Within(1, 65_536)]


@attrs.frozen(slots=True, kw_only=True)
class AccountingSettings:
    """What both roles have. ``spool_size``: MiB. ``interim_interval``: seconds, where AAA asks for none; 0: none.
    ``on_off``: tell Accounting-On and -Off.
    """

    enabled: bool = False
    interim_interval: _Interim = 600
    spool: Journal = ""
    spool_size: _Mebibytes = 64
    attributes: DialectName = "as-profile"
    on_off: bool = True


@attrs.frozen(slots=True, kw_only=True)
class MagAccounting(AccountingSettings):
    """``[mag.accounting]``."""

    spool: Journal = "/var/lib/pmip/mag.accounting"


@attrs.frozen(slots=True, kw_only=True)
class LmaAccounting(AccountingSettings):
    """``[lma.accounting]``."""

    spool: Journal = "/var/lib/pmip/lma.accounting"
