"""Where conda's channels are: by the config's own addresses, an alias, or conda's names."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass

from reprocheck.environments.conda_files import CondaAsked, CondaPackage

_DEFAULTS = ("main", "r")  # what conda's `defaults` stands for
_IN_SPEC = re.compile(r"(?P<channel>[^\s=<>!~\[]+)::(?P<rest>.+)")
_IN_URL = re.compile(r"(?P<base>.+?)/(?P<rest>[^/]+/[^/]+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Channels:
    """Addresses of channels. A name without one is left to the installer, which knows conda's."""

    mirrors: Mapping[str, str]  # of the config, by the channel's name
    alias: str | None = None  # CONDA_CHANNEL_ALIAS: the place of all that have only a name
    program: bool = False  # for a conda of the machine, which knows its own default channels

    def located(self, asked: CondaAsked) -> CondaAsked:
        """The same with every channel at its address, also those that specs and locks name."""
        specs: list[str] = []
        extra: list[str] = []
        for spec in asked.specs:
            found = _IN_SPEC.fullmatch(spec)
            where = self.places(found["channel"]) if found else ()
            specs.append(f"{where[0]}::{found['rest']}" if found and len(where) == 1 else spec)
            if found and len(where) > 1:  # `defaults::numpy` may be in any of several
                specs[-1] = found["rest"]
            extra += where
        named = [place for name in asked.channels for place in self.places(name)]
        return dataclasses.replace(
            asked,
            channels=tuple(dict.fromkeys((*named, *extra))),
            specs=tuple(specs),
            packages=tuple(self._mirrored(package) for package in asked.packages),
        )

    def places(self, name: str) -> tuple[str, ...]:
        """The addresses of a channel."""
        if name in self.mirrors:
            return (self.mirrors[name].rstrip("/"),)
        if name == "defaults" and self.program:
            return (name,)
        if name == "defaults":
            return tuple(place for part in _DEFAULTS for place in self.places(part))
        if "://" in name:
            return (self.mirrors.get(_name(name), name).rstrip("/"),)
        name = name.removeprefix("pkgs/")
        if name in self.mirrors:
            return (self.mirrors[name].rstrip("/"),)
        return (f"{self.alias.rstrip('/')}/{name}" if self.alias else name,)

    def _mirrored(self, package: CondaPackage) -> CondaPackage:
        found = _IN_URL.fullmatch(package.url)
        base = _name(found["base"]) if found else ""
        if not found or base not in self.mirrors:
            return package
        url = f"{self.mirrors[base].rstrip('/')}/{found['rest']}"
        return dataclasses.replace(package, url=url)


def _name(address: str) -> str:
    """The name of the channel at an address, as conda would say it."""
    return address.rstrip("/").rpartition("/")[2]
