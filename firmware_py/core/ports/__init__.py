"""The protocols between the core and everything around it. Devices, sync and the API depend on these, never on each other."""

from firmware_py.core.ports.devices import DeviceContext, DevicePort, DeviceStatus, SimulatedWire
from firmware_py.core.ports.journal import (
    Decision,
    Feature,
    Fold,
    JournalPort,
    Reader,
    SchemaStep,
    SeriesTotal,
    Submit,
    Transaction,
    View,
)
from firmware_py.core.ports.node import CITY_STATES, BucketPage, CityFaults, CityState, NodePort, OutboxFigures

__all__ = [
    "CITY_STATES",
    "BucketPage",
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
    "SeriesTotal",
    "SimulatedWire",
    "Submit",
    "Transaction",
    "View",
]
