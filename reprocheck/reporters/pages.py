"""Self-contained HTML pages: one file that fetches nothing, and runs no script but its own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from reprocheck.hostile import printable

if TYPE_CHECKING:
    from jinja2 import Environment


def page(
    template: str,
    values: Mapping[str, object],
    *,
    style: str | tuple[str, ...] = (),
    script: str = "",
) -> str:
    """The template with the values, which are escaped and made printable, in the house's style.

    `style` and `script` name files beside the template that are added to the page. A policy in
    it forbids every other script and style, and every address; images are part of the page.
    """
    from markupsafe import Markup

    names = (style,) if isinstance(style, str) else style
    styles = "".join(_read(name) for name in ("style.css", *names) if name)
    code = _read(script) if script else ""
    return (
        _environment()
        .get_template(template)
        .render(
            {"note": "", **values},
            policy=_policy(styles, code),
            style=Markup(styles),  # noqa: S704 - our own files
            script=Markup(code),  # noqa: S704
        )
    )


def _policy(style: str, script: str) -> str:
    allowed = f"default-src 'none'; style-src {_digest(style)}"
    scripts = f"; script-src {_digest(script)}" if script else ""
    return f"{allowed}{scripts}; img-src data:; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


@cache
def _read(name: str) -> str:
    return resources.files("reprocheck.reporters").joinpath("templates", name).read_text("utf-8")


def _shown(value: object) -> object:
    """What a template shows: text on one line, without what reorders what is around it."""
    from markupsafe import Markup

    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(
        autoescape=True,
        finalize=_shown,
        loader=FunctionLoader(_read),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
