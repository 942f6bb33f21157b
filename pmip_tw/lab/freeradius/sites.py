"""The virtual servers of radiusd.conf: what is done with a request."""

from string import Template
from typing import Final

_DEFAULT: Final = Template("""\
server default {
    listen {
        type = auth
        ipaddr = $address
        port = $port
    }
    listen {
        type = acct
        ipaddr = $address
        port = $accounting_port
    }
    authorize {
        # An LMA asks for a key: it has no credentials but its own, which are the client's.
        if ((&WiMAX-RRQ-MN-HA-SPI || &3GPP2-MN-HA-SPI) && !&User-Password && !&EAP-Message) {
            update request {
                &Tmp-String-0 := "%{User-Name}/%{WiMAX-RRQ-MN-HA-SPI}"
            }
            update control {
                &Cache-Read-Only := yes
            }
            keys
            if (notfound || noop) {
                derived_keys
            }
            if (ok || updated) {
                update control {
                    &Auth-Type := Accept
                }
                return
            }
            reject
        }
        # PEAP ends a step after the identity was proven; what is kept with the TLS session is the reply's.
        if (&session-state:User-Name) {
            update reply {
                &User-Name := &session-state:User-Name
            }
        }
        eap {
            ok = return
        }
        files
        pap
        Autz-Type Status-Server {
            update reply {
                &Message-Authenticator := 0x00
            }
            ok
        }
    }
    authenticate {
        Auth-Type PAP {
            pap
        }
        eap
    }
    preacct {
        ok
    }
    accounting {
        detail
        Acct-Type Status-Server {
            ok
        }
    }
    post-auth {
        # FreeRADIUS 3.2.1 signs only EAP answers by itself. The value is computed when the answer is encoded.
        update reply {
            &Message-Authenticator := 0x00
        }
        if (!&WiMAX-RRQ-MN-HA-SPI && !&3GPP2-MN-HA-SPI) {
            # The identity that was proven inside takes the place of the one that everybody could read.
            if (&session-state:User-Name) {
                update reply {
                    &User-Name := &session-state:User-Name
                }
            }
            mobility
            if (&reply:EAP-EMSK && &reply:WiMAX-hHA-IP-MIP4 && !&reply:WiMAX-MN-hHA-MIP4-SPI) {
                wimax_keys
                update request {
                    &Tmp-String-0 := "%{reply:User-Name}/%{reply:WiMAX-MN-hHA-MIP4-SPI}"
                }
                # To be remembered only: an answer to an LMA has other attributes than one to a MAG.
                update control {
                    &Cache-Merge := no
                }
                derived_keys
            }
            attachments
        }
        Post-Auth-Type Challenge {
            if (&reply:User-Name) {
                update session-state {
                    &User-Name := &reply:User-Name
                }
                update reply {
                    &User-Name !* ANY
                }
            }
        }
        # A NAS that has seen one signed answer wants them all signed; and no key leaves in a refusal.
        Post-Auth-Type REJECT {
            rejected
            update reply {
                &Message-Authenticator := 0x00
            }
            eap
        }
    }
}
""")

_INNER: Final = """\
# What TTLS and PEAP carry. Only the identity leaves it: keys and everything else are the outer server's.
server inner-tunnel {
    authorize {
        mschap
        eap {
            ok = return
        }
        files
        pap
    }
    authenticate {
        Auth-Type PAP {
            pap
        }
        Auth-Type MS-CHAP {
            mschap
        }
        eap
    }
    post-auth {
        update outer.session-state {
            &User-Name := &User-Name
        }
        # This one is kept with the TLS session, for when it is resumed.
        update outer.reply {
            &User-Name := &User-Name
        }
    }
}
# EAP-TLS: a certificate is of the node whose NAI is its common name, whatever name was said before.
server certificate {
    authorize {
        update outer.session-state {
            &User-Name := "%{TLS-Client-Cert-Common-Name}"
        }
        update outer.reply {
            &User-Name := "%{TLS-Client-Cert-Common-Name}"
        }
        update control {
            &Auth-Type := Accept
        }
    }
}
"""


def sites(address: str, port: int, *, certificates: bool) -> str:
    """``certificates``: there are EAP methods that need them. Accounting is on the next port."""
    default = _DEFAULT.substitute(address=address, port=port, accounting_port=port + 1)
    return default + (_INNER if certificates else "")
