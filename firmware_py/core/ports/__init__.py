"""The protocols between the core and everything around it. Devices, sync and the API depend on these, never on each other."""

from firmware_py.core.ports.devices import DeviceContext, DevicePort, DeviceStatus, SimulatedWire
from firmware_py.core.ports.journal import (
    Decision,
    Feature,
    Fold,
    JournalPort,
    Reader,
    SchemaStep,
    Submit,
    Transaction,
    View,
)
from firmware_py.core.ports.node import CITY_STATES, CityFaults, CityState, NodePort, OutboxFigures

__all__ = [
    "CITY_STATES",
    "CityFaults",
    "CityState",
    "Decision",
    "DeviceContext",
    "DevicePort",
    "DeviceStatus",
    "Feature",
    "Fold",
    "JournalPort",
    "NodePort",
    "OutboxFigures",
    "Reader",
    "SchemaStep",
    "SimulatedWire",
    "Submit",
    "Transaction",
    "View",
]
