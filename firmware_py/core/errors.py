"""Every error this product raises on purpose.

    NuCuoiError
      JournalError
        JournalClosed        the node is stopping; nothing was kept
        JournalRefusing      the disk is full or read-only; nothing was kept, try again later
        JournalBroken        the journal's writer died; the process must restart
      DeviceUnavailable      a device cannot work, and why, in words for people
      WireError              a bus failed: unplugged, permission, bad setting
      BadCursor              a place in the buckets that no node has ever named

Each also derives from the builtin that a caller would expect. A broken site file is `config.problems.ConfigError`: config
imports nothing of the core.
"""

from __future__ import annotations


class NuCuoiError(Exception):
    """The root of all errors raised on purpose."""


class JournalError(NuCuoiError, RuntimeError):
    """The journal did not keep what it was given."""


class JournalClosed(JournalError):
    """The node is stopping: nothing was kept."""


class JournalRefusing(JournalError, OSError):
    """The disk cannot take an event just now: nothing was kept, nobody may be thanked."""


class JournalBroken(JournalError):
    """The writer died or a sync failed: what was not acknowledged is not kept, the process must restart."""


class JournalUnreadable(JournalError, OSError):
    """There is no journal there, or it is damaged beyond reading."""


class DeviceUnavailable(NuCuoiError, OSError):
    """A device cannot work; the text says why and what to do, in words for people."""


class WireError(NuCuoiError, OSError):
    """A bus failed: unplugged, no permission, a wrong setting."""


class BadCursor(NuCuoiError, ValueError):
    """What a puller sent as its place is no cursor: no node has ever answered that."""
