"""The page in one piece, with its data in it: what a server gives and a file holds."""

from __future__ import annotations

import base64
import json
from importlib import resources
from typing import Any

PARTS = {"/*CSS*/": "page.css", "/*JS*/": "page.js"}
DATA = "/*DATA*/null"


def render_page(data: dict[str, Any]) -> str:
    """The HTML with ``data`` in it; nothing in it is fetched from elsewhere."""
    folder = resources.files(__package__).joinpath("page")
    page = folder.joinpath("page.html").read_text("utf-8")
    for mark, name in PARTS.items():
        page = page.replace(mark, folder.joinpath(name).read_text("utf-8"), 1)
    body = json.dumps(data, separators=(",", ":")).replace("</", "<\\/").replace("<!--", "<\\!--")
    return page.replace(DATA, body, 1)


def pack(squeezed: bytes) -> str:
    """Bytes for a page."""
    return base64.b64encode(squeezed).decode("ascii")
