"""The modules section of radiusd.conf: what the virtual servers are made of."""

from string import Template
from typing import Final

from pmip_tw.lab.freeradius.tls import Tls

_MODULES: Final = Template("""\
modules {
    always ok {
        rcode = ok
    }
    always reject {
        rcode = reject
    }
    pap {
        normalise = no
    }
    mschap {
        use_mppe = yes
    }
    files {
        filename = $directory/users
    }
    # Mobility attributes belong to the identity that authentication found, not to the name it was asked with.
    files mobility {
        key = "%{reply:User-Name}"
        postauth_usersfile = $directory/mobility
    }
    # What an LMA asks for when it meets a NAI and an SPI that it does not know.
    files keys {
        key = "%{User-Name}/%{%{WiMAX-RRQ-MN-HA-SPI}:-%{3GPP2-MN-HA-SPI}}"
        usersfile = $directory/keys
    }
    perl wimax_keys {
        filename = $directory/wimax_keys.pl
    }
    # Keys that authentications have derived, for the LMAs that will ask for them.
    cache derived_keys {
        driver = "rlm_cache_rbtree"
        key = "%{request:Tmp-String-0}"
        ttl = 86400
        update {
            &reply:WiMAX-RRQ-MN-HA-Key := &reply:WiMAX-MN-hHA-MIP4-Key
            &reply:WiMAX-RRQ-MN-HA-SPI := &reply:WiMAX-MN-hHA-MIP4-SPI
            &reply:WiMAX-hHA-IP-MIP4 := &reply:WiMAX-hHA-IP-MIP4
        }
    }
    attr_filter rejected {
        key = "%{User-Name}"
        relaxed = no
        filename = $directory/rejected
    }
    detail {
        filename = $directory/detail
        permissions = 0600
        header = "%t"
    }
    linelog attachments {
        filename = $directory/attachments
        permissions = 0600
        format = "%S|%{Calling-Station-Id}|%{reply:User-Name}|%{User-Name}|%{%{EAP-Type}:-none}|\
%{%{EAP-Session-Resumed}:-no}|%{Called-Station-Id}|%{Service-Type}"
    }
    eap {
        default_eap_type = $method
        timer_expire = 60
        max_sessions = 4096
        md5 {
        }
$tls    }
}
""")


def modules(directory: str, tls: Tls | None) -> str:
    """``tls``: what the EAP methods with certificates need; without it there is EAP-MD5."""
    return _MODULES.substitute(
        directory=directory,
        method="md5" if tls is None else "ttls",
        tls="" if tls is None else tls.methods(directory),
    )
