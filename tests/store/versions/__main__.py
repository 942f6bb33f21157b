"""Writes the journal of the present version, once: ``python -m tests.store.versions``."""

import sys

from pmip_tw.store.database import Database
from pmip_tw.store.layout import LAYOUT
from pmip_tw.store.place import Place
from tests.store.records import FORM
from tests.store.versions import CONTENT, VERSIONS, machine_of_then


def main() -> None:
    path = VERSIONS / f"{LAYOUT.version}.journal"
    if path.exists():
        sys.exit(f"{path} is there, and stays as it is: it is what that version wrote")
    database = Database(Place(str(path)), FORM, horizon=7200.0, clocks=machine_of_then)
    database.open()
    for record in CONTENT:
        database.write([record])
    database.close()
    path.chmod(0o644)


main()
