"""Attributes of RADIUS itself that an Access-Accept may hold (RFC 2865 5, 2869 5, 4372)."""

from pmip_tw.aaa.dictionaries.dictionary import Dictionary, Kind

STANDARD = Dictionary()

USER_NAME = STANDARD.define(1, "User-Name", Kind.TEXT)
FRAMED_IP_ADDRESS = STANDARD.define(8, "Framed-IP-Address", Kind.ADDRESS)
FILTER_ID = STANDARD.define(11, "Filter-Id", Kind.TEXT)
REPLY_MESSAGE = STANDARD.define(18, "Reply-Message", Kind.TEXT)
CLASS = STANDARD.define(25, "Class", Kind.OCTETS)
SESSION_TIMEOUT = STANDARD.define(27, "Session-Timeout", Kind.NUMBER)
IDLE_TIMEOUT = STANDARD.define(28, "Idle-Timeout", Kind.NUMBER)
TERMINATION_ACTION = STANDARD.define(29, "Termination-Action", Kind.NUMBER)
ACCT_INTERIM_INTERVAL = STANDARD.define(85, "Acct-Interim-Interval", Kind.NUMBER)
FRAMED_POOL = STANDARD.define(88, "Framed-Pool", Kind.OCTETS)
CHARGEABLE_USER_IDENTITY = STANDARD.define(89, "Chargeable-User-Identity", Kind.OCTETS)
