"""What all roles have in common: ``--config FILE``, and mistakes told without a traceback."""

from pathlib import Path
from typing import Final, TypeVar

from twisted.python import usage

from pmip_tw.config.load import load
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.config.settings.relay import RelaySettings
from pmip_tw.errors import ConfigurationError

Settings = TypeVar("Settings")

_ROLES: Final[dict[type, tuple[str, str]]] = {
    MagSettings: ("a MAG", "pmip-mag"),
    LmaSettings: ("an LMA", "pmip-lma"),
    RelaySettings: ("a DHCP relay", "pmip-dhcp-relay"),
}
"""What a file describes, and what runs it."""


class Options(usage.Options):
    """The command line of a role."""

    optParameters = [
        ["config", "c", None, "The configuration file (TOML); pmipctl check FILE explains its mistakes."]
    ]

    def postOptions(self) -> None:
        if self["config"] is None:
            raise usage.UsageError("name the configuration file: --config FILE")


def read_settings(options: Options, role: type[Settings]) -> Settings:
    """The settings of the file named; ends the process with every mistake of it, touching nothing."""
    path = Path(options["config"])
    try:
        settings = load(path)
    except ConfigurationError as error:
        raise SystemExit(str(error)) from None
    if not isinstance(settings, role):
        told, runs = _ROLES[type(settings)]
        raise SystemExit(f"{path}: it describes {told}: twistd {runs} runs it")
    return settings
