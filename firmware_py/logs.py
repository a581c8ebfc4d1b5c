"""Logging: lines for people on a terminal, JSON for systemd's journal. State changes only."""

from __future__ import annotations

import json
import logging
import os
import sys


class JsonLines(logging.Formatter):
    """One JSON object a line; journald adds the time."""

    def format(self, record: logging.LogRecord) -> str:
        """A record as JSON."""
        line = {
            "level": record.levelname,
            "logger": record.name,
            "thread": record.threadName,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up(*, verbose: bool = False) -> None:
    """Log to stderr, in the form that whoever reads it needs."""
    handler = logging.StreamHandler(sys.stderr)
    if os.environ.get("JOURNAL_STREAM"):
        handler.setFormatter(JsonLines())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    for noisy in ("werkzeug", "urllib3", "waitress"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
