"""The interfaces between the agents and the edges.

Each that reaches outside has a real provider, a twin (in ``pmip_tw.testing``; the packet plane's is
``forwarding.memory``) and one contract test that runs on both.
"""

from pmip_tw.interfaces.aaa import (
    IAaaSessions,
    IAccessPoints,
    IAccessPointsReceiver,
    IAuthenticator,
    IHomeAgent,
    INodeKeys,
    IRadiusClient,
    ISessions,
)
from pmip_tw.interfaces.accounting import IAccounting, IAccountingServers, ISpool
from pmip_tw.interfaces.clock import IClock
from pmip_tw.interfaces.dhcp import IClientLinks, IClientLinksReceiver, IDhcpReceiver, IDhcpSocket
from pmip_tw.interfaces.diameter import IDiameterClient
from pmip_tw.interfaces.forwarding import IForwardingPlane, IPacketReceiver
from pmip_tw.interfaces.operations import IObserver, IOperations
from pmip_tw.interfaces.signalling import (
    Datagram,
    IIpsecPolicies,
    ISignalling,
    ISignallingReceiver,
    ITunnelDataReceiver,
    IUplink,
    IUplinkReceiver,
    Unreachable,
)
from pmip_tw.interfaces.store import IBindingStore

__all__ = [
    "Datagram",
    "IAaaSessions",
    "IAccessPoints",
    "IAccessPointsReceiver",
    "IAccounting",
    "IAccountingServers",
    "IAuthenticator",
    "IBindingStore",
    "IClientLinks",
    "IClientLinksReceiver",
    "IClock",
    "IDhcpReceiver",
    "IDhcpSocket",
    "IDiameterClient",
    "IForwardingPlane",
    "IHomeAgent",
    "IIpsecPolicies",
    "INodeKeys",
    "IObserver",
    "IOperations",
    "IPacketReceiver",
    "IRadiusClient",
    "ISessions",
    "ISignalling",
    "ISignallingReceiver",
    "ISpool",
    "ITunnelDataReceiver",
    "IUplink",
    "IUplinkReceiver",
    "Unreachable",
]
