"""`reprocheck clean`."""

from __future__ import annotations

import os

import click

from reprocheck import config as configuration
from reprocheck.durations import parse_duration

DEFAULT_SIZE = "20GB"


@click.command(short_help="Remove what dead verifications left behind.")
@click.option(
    "--images",
    metavar="AGE",
    default="30d",
    show_default=True,
    help="Remove the images and environments that reprocheck built and has not used for so long; "
    "0d: all of them.",
)
@click.option(
    "--size",
    metavar="BYTES",
    default=DEFAULT_SIZE,
    show_default=True,
    help="Then remove those used longest ago, until the rest takes no more.",
)
def clean(images: str, size: str) -> int:
    """Remove what verifications left in the cache, in TMPDIR and in the container engine.

    Removed are environments whose build was killed, containers and temporary folders of
    verifications that are dead, and the environments and images that reprocheck built and has not
    used for a while, and so what it fetched from the Hugging Face hub (after a week at least). A
    verification that runs keeps what it uses.
    """
    from reprocheck import temporary
    from reprocheck.account import cache_folder
    from reprocheck.datastores import hub
    from reprocheck.environments import cache, docker_engine, docker_owned

    age_s = 0.0 if images.strip() in ("0", "0d") else parse_duration(images, "--images")
    most = configuration.parse_size(size, "--size")
    environments = cache.remove_unused(cache_folder(), age_s)
    fetched = hub.remove_unused(cache_folder(), age_s)
    click.echo(
        f"Removed from the cache: environments {environments}, models and data sets of the "
        f"Hugging Face hub {fetched}."
    )
    folders = temporary.remove_dead()
    if folders:
        click.echo(f"Removed temporary folders: {folders}.")
    if not docker_engine.answers(os.environ):
        click.echo("No container engine answers: nothing to clean in one.")
        return 0
    with docker_engine.connect(os.environ) as engine:
        dead = docker_owned.remove_dead(engine)
        old = docker_owned.remove_images(
            engine, older_than_s=age_s, at_most=most, used=cache_folder() / "docker"
        )
    click.echo(
        f"Removed from {engine.name}: containers {dead.containers}, images {old.images} "
        f"({old.freed / 1e6:.0f} MB)."
    )
    return 0
