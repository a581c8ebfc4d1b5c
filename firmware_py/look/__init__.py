"""The look: type, colours, faces, charts and the way numbers are written, once for the hall's pages and the city's.

Files to be served and templates to be included, and no web framework: each application serves `STATIC` under
`/static/look/` and finds `TEMPLATES` beside its own. What is here has no words: those belong to the application's languages.
"""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
TEMPLATES = Path(__file__).parent / "templates"
URL_PATH = "/static/look"
