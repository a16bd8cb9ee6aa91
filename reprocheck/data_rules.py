"""What reprocheck.yaml says about the run's inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reprocheck.errors import ConfigError
from reprocheck.yaml_files import LocatedYaml


@dataclass(frozen=True, kw_only=True, slots=True)
class DataRule:
    """An input that the config names. Without a digest, DVC's files at the commit say it.

    Values may hold placeholders such as {tags.data_md5}.
    """

    path: str = ""  # in the tree; "" of what the training itself fetches into a cache
    algorithm: str | None = None  # md5, sha256; None: told by the digest's length
    digest: str | None = None
    url: str | None = None  # where it is kept: an address, or a path from the config's folder
    manifest: str | None = None  # a list of digests: in the tree, of the artifacts, or an address
    remote: str | None = None  # name of the DVC remote that has it
    seen_as: str | None = None  # the absolute path at which the run read it
    hub: str | None = None  # of Hugging Face: "NAME" is a model, "datasets/NAME" a data set
    revision: str | None = None  # of the hub's repository
    cached_as: str | None = None  # below ~/.cache, where the training looks for what it fetches
    place: str = ""  # where it is declared, as "reprocheck.yaml:12"


def data_rules(entries: Iterable[Mapping[str, str]], located: LocatedYaml) -> tuple[DataRule, ...]:
    """The rules of a list that the schema has accepted.

    Raises `ConfigError` for one with several digests.
    """
    return tuple(
        _data_rule(entry, located.line(f"/data/{index}")) for index, entry in enumerate(entries)
    )


def _data_rule(entry: Mapping[str, str], place: str) -> DataRule:
    digests = {name: entry[name] for name in ("md5", "sha256", "hash") if name in entry}
    if len(digests) > 1:
        raise ConfigError(
            f"{place}: the data '{entry.get('path', '')}' has several digests: "
            + ", ".join(digests),
            "give one of them; SHA-256 is the stronger",
        )
    name, digest = next(iter(digests.items()), ("hash", None))
    others = {key: text for key, text in entry.items() if key not in digests}
    algorithm = None if name == "hash" else name
    return DataRule(algorithm=algorithm, digest=digest, place=place, **others)
