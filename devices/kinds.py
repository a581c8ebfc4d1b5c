"""All kinds of hardware this product knows: every module in this package is looked at, so a new kind is one file.

No hardware library is imported here; wires import theirs when they are opened.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

import devices
from config.settings import DeviceSettings
from devices.device import Device


def kinds() -> Mapping[str, type[Device]]:
    """Device class by the `kind` of the site file, by name."""
    for module in pkgutil.iter_modules(devices.__path__, prefix="devices."):
        if not module.ispkg:
            importlib.import_module(module.name)
    return MappingProxyType(dict(sorted(Device.registered().items())))


def settings_by_kind() -> Mapping[str, type[DeviceSettings]]:
    """The settings of each kind, for checking a site file."""
    return MappingProxyType({kind: device.Settings for kind, device in kinds().items()})
