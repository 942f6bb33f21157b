"""A private FreeRADIUS for laboratory and tests; each room writes a part of its configuration."""

from pmip_tw.lab.freeradius.logs import Attachment, Record, attachments, authentications, records
from pmip_tw.lab.freeradius.server import PROGRAM, FreeRadius
from pmip_tw.lab.freeradius.tls import Tls
from pmip_tw.lab.freeradius.users import Keys, RadiusUser

__all__ = [
    "PROGRAM",
    "Attachment",
    "FreeRadius",
    "Keys",
    "RadiusUser",
    "Record",
    "Tls",
    "attachments",
    "authentications",
    "records",
]
