"""Images, matrices and curves for reports."""

from __future__ import annotations

import io

from PIL import Image

from reprocheck.model import Exhibit, ExhibitKind, ExhibitSide, Grid, Picture


def make_image(color="red", size=(4, 3), *, dots=0):
    """An image of one color, with a row of white dots."""
    image = Image.new("RGB", size, color)
    for x in range(dots):
        image.putpixel((x, 0), (255, 255, 255))
    return image


def encode(image, form="PNG", **options):
    """The image as the bytes of a file."""
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def make_picture(color="red", size=(4, 3), *, scaled=False):
    png = encode(make_image(color, size))
    return Picture(png=png, width=size[0], height=size[1], scaled=scaled)


def make_grid(*rows, columns=("cat", "dog"), names=("cat", "dog"), thinned=0):
    values = rows or ((48.0, 2.0), (3.0, 47.0))
    return Grid(columns=columns, rows=names, values=values, thinned=thinned)


def make_curve(power=1.0, points=5, thinned=0):
    values = [(i / (points - 1), (i / (points - 1)) ** power) for i in range(points)]
    return make_grid(*values, columns=("fpr", "tpr"), names=(), thinned=thinned)


def make_side(content=None, digest="1f", size=100):
    return ExhibitSide(sha256=digest * 32 if size is not None else "", size=size, content=content)


def make_exhibit(path="confusion.csv", original=None, rerun=None, *, missing=False, **changes):
    """What both sides left; without a `rerun` that is the same, unless `changes` tell otherwise."""
    ours = make_grid() if original is None else original
    match ours:
        case Picture():
            kind = ExhibitKind.IMAGE
        case Grid(columns=("fpr", *_)):
            kind = ExhibitKind.CURVE
        case _:
            kind = ExhibitKind.MATRIX
    is_other = rerun is not None or "pixels" in changes
    return Exhibit(
        path=path,
        kind=kind,
        original=make_side(None if "left_out" in changes else ours),
        rerun=make_side(rerun, "2e" if is_other else "1f", None if missing else 100),
        trial=1,
        **changes,
    )
