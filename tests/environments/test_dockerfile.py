"""dockerfile: what a Dockerfile starts from and copies."""

from __future__ import annotations

from reprocheck.environments import dockerfile

TEXT = """# syntax=docker/dockerfile:1
ARG VERSION=3.11
ARG BASE=python:${VERSION}
FROM --platform=linux/amd64 $BASE AS build
RUN --mount=type=bind,from=tools:1,target=/t \\
    # a comment inside
    make
COPY <<EOF /script
FROM nothing
EOF
COPY --from=build2 /a /b
from scratch
COPY --from=build /x /x
COPY --chown=1:1 a.txt sub/*.py ["b.txt", /dst/]
FROM build
"""


def test_the_bases_are_images_and_not_stages():
    assert dockerfile.bases(TEXT, {}) == ("python:3.11", "tools:1", "build2")
    assert dockerfile.bases(TEXT, {"VERSION": "3.8"})[0] == "python:3.8"


def test_bases_are_led_elsewhere_and_stages_are_not():
    other = dockerfile.with_bases(TEXT, {}, lambda name: f"mine/{name}")
    assert "FROM --platform=linux/amd64 mine/python:3.11 AS build\n" in other
    assert "\nFROM nothing\n" in other
    assert other.endswith("FROM build\n")


def test_the_sources_are_paths_of_the_context():
    assert dockerfile.sources(TEXT) == ("a.txt", "sub/*.py", "b.txt")


def test_the_front_end_can_be_left_out():
    assert "syntax" not in dockerfile.without_frontend(TEXT)
    assert dockerfile.without_frontend("FROM x\n# syntax=y\n") == "FROM x\n# syntax=y\n"


def test_variables_are_replaced_with_defaults():
    values = {"A": "1"}
    assert dockerfile.substitute("$A ${A} ${B:-2} ${A:+3} $B", values) == "1 1 2 3 "
