"""The shared look (`firmware_py.look`), served by the node."""

from __future__ import annotations

from flask import Blueprint

from firmware_py import look


def look_blueprint() -> Blueprint:
    """Type, colours, faces and charts under `/static/look/`; templates as `look/...`."""
    return Blueprint(
        "look", __name__, static_folder=look.STATIC, static_url_path=look.URL_PATH, template_folder=look.TEMPLATES
    )
