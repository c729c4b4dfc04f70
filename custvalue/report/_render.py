"""One dict of sections -> one HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

import custvalue


@cache
def _part(name: str) -> str:
    return (files("custvalue.report") / "templates" / name).read_text(encoding="utf-8")


def render(page: dict[str, Any], words: dict[str, str]) -> str:
    """Fill the template: texts are escaped, an unknown name is an error, the same bytes each time.

    Parameters
    ----------
    page : dict
        ``title``, ``facts``, ``sections``, ``footer`` as `custvalue.report._sections` makes them.
    words : dict
        Words of the page's frame: ``lang``, ``sort``, ``skip``, ``contents``.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    script = _part("report.js")
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(_part("report.html.j2")).render(
        page=page,
        words=words,
        style=Markup(_part("report.css")),
        script=script,
        script_hash=base64.b64encode(digest).decode("ascii"),
        version=custvalue.__version__,
    )
