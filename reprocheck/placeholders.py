"""A run's values in a text of the user's: {params.NAME}, {tags.NAME} and {seed}."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reprocheck.errors import SourceError
from reprocheck.model import RunRecord
from reprocheck.seeds import recorded_seed, recorded_seeds

_PLACEHOLDER = re.compile(r"\{(params|tags)\.([^{}]+)\}|\{seed\}")


def substitute(template: str, record: RunRecord) -> str:
    """A template with {params.NAME}, {tags.NAME} and {seed} replaced by the run's values.

    Raises `SourceError` for a name that the run did not log.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return _seed(record)
        values = parameters_given(record) if match[1] == "params" else record.tags
        if match[2] not in values:
            raise SourceError(
                f"{match[0]} in '{template}': run {record.ref.run_id} logged no such "
                + ("parameter" if match[1] == "params" else "tag"),
                f"it logged: {', '.join(sorted(values)[:20]) or 'none'}",
            )
        return values[match[2]]

    return _PLACEHOLDER.sub(value, template)


def parameters_given(record: RunRecord) -> Mapping[str, str]:
    """What the command was given: a child run is made by its parent's command."""
    return {**record.parameters, **(record.lineage.parent_parameters or {})}


def _seed(record: RunRecord) -> str:
    seed = recorded_seed(record)
    if seed is not None:
        return seed
    several = dict(recorded_seeds(record))
    raise SourceError(
        f"{{seed}}: run {record.ref.run_id} recorded no seed"
        + (f" that is the only one: {several}" if several else ""),
        "log the seed as a parameter, or name its parameter: {params.NAME}",
    )
