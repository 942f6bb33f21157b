"""A visitor as AAA knows its session (AA20, AA21)."""

from pmip_tw.aaa.accounting.records import AccountingSession, common_id
from pmip_tw.addresses import mac_text
from pmip_tw.mag.visitors import Visitor


def session_of(visitor: Visitor) -> AccountingSession:
    """Of one that is registered."""
    profile, grant = visitor.profile, visitor.grant
    assert profile is not None and grant is not None
    nai = profile.nai.encode()
    return AccountingSession(
        id=visitor.accounting_id,
        multi_id=common_id(nai, visitor.home_address),
        nai=nai,
        home_address=visitor.home_address,
        home_agent=visitor.lma,
        care_of_address=grant.care_of_address,
        port=visitor.key.port,
        mac=mac_text(visitor.mac, "-").upper(),
        classes=profile.classes,
        chargeable_identity=profile.chargeable_identity,
        correlation_id=profile.correlation_id,
        aaa_session_id=profile.aaa_session_id,
        interim_interval=profile.interim_interval,
        begins=not visitor.configured,
        called_station=b"" if visitor.examined is None else visitor.examined.called_station,
    )
