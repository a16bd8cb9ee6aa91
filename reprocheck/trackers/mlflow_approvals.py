"""Sign-offs in a run's tags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reprocheck.model import Approval, Origin, OriginKind

NAME, LIST = "approved_by", "approvals"

Found = tuple[tuple[Approval, ...], Mapping[str, Origin], Mapping[str, str]]


def read_approvals(tags: Mapping[str, str]) -> Found:
    """The approvals, where each was found by JSON pointer, and by tag what could not be read.

    `approved_by` is a name, an object or a list; `approvals` a list. An object has `by`, and may
    have `what`, `role`, `commit` and `at`.
    """
    found: list[Approval] = []
    origins: dict[str, Origin] = {}
    bad: dict[str, str] = {}
    for tag in (NAME, LIST):
        items = _items(tags.get(tag, "").strip(), plain=tag == NAME)
        read = [approval for item in items or () if (approval := _approval(item))]
        if items is None or len(read) < len(items):
            bad[tag] = "it is not a JSON list of approvals, each with `by`"
        for approval in read:
            origins[f"/approvals/{len(found)}"] = Origin(kind=OriginKind.TAG, where=tag)
            found.append(approval)
    if found:
        origins["/approvals"] = origins["/approvals/0"]
    return tuple(found), origins, bad


def _items(text: str, *, plain: bool) -> list[Any] | None:
    """None for what is no list; `plain` texts are names."""
    if not text:
        return []
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    if isinstance(value, list):
        return value
    return [value] if plain or isinstance(value, dict) else None


def _approval(item: Any) -> Approval | None:  # noqa: ANN401  (JSON)
    if isinstance(item, str | int) and not isinstance(item, bool):
        return Approval(by=str(item), what="")
    if not isinstance(item, dict) or not isinstance(item.get("by"), str) or not item["by"].strip():
        return None
    texts = {name: _text(item.get(name)) for name in ("what", "role", "commit")}
    return Approval(by=item["by"], at=_time(item.get("at")), **texts)


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
