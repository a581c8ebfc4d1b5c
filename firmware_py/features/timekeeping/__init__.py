"""The node's own life and its clock: start, ticks, trust, opening hours, and the time that states lasted."""

from firmware_py.features.timekeeping.feature import Timekeeping

__all__ = ["Timekeeping"]
