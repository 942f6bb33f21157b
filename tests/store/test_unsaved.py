"""No journal: everything is answered at once, and nothing is kept."""

from zope.interface.verify import verifyObject

from pmip_tw.errors import StoreError
from pmip_tw.interfaces import IBindingStore
from pmip_tw.store.unsaved import Unsaved
from tests.store.records import held


def test_nothing_is_kept() -> None:
    store, told = Unsaved(), list[StoreError | None]()
    assert verifyObject(IBindingStore, store)
    assert not store.keeps
    store.start()
    store.append([held(1)], told.append)
    assert told == [None]
    assert list(store.load()) == []
    assert store.stop() is None
