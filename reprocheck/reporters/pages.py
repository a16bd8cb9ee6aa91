"""Self-contained HTML pages: one file that fetches nothing, and runs no script but its own."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def page(template: str, values: dict[str, object], *, style: str = "", script: str = "") -> str:
    """The template with the values, which are escaped, in the house's style.

    `style` and `script` name files beside the template that are added to the page. A policy in
    it forbids every other script and style, and every address.
    """
    from markupsafe import Markup

    styles = "".join(_read(name) for name in ("style.css", style) if name)
    code = _read(script) if script else ""
    return (
        _environment()
        .get_template(template)
        .render(
            values,
            policy=_policy(styles, code),
            style=Markup(styles),  # noqa: S704 - our own files
            script=Markup(code),  # noqa: S704
        )
    )


def _policy(style: str, script: str) -> str:
    allowed = f"default-src 'none'; style-src {_digest(style)}"
    scripts = f"; script-src {_digest(script)}" if script else ""
    return f"{allowed}{scripts}; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


@cache
def _read(name: str) -> str:
    return resources.files("reprocheck.reporters").joinpath("templates", name).read_text("utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(
        autoescape=True,
        loader=FunctionLoader(_read),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
