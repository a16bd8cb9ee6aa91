"""Images of strangers: decoded within limits, and written anew as PNG with pixels alone in it."""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from reprocheck.errors import OpaqueError
from reprocheck.model import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"})
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")  # of the many that Pillow would try

MOST_PIXELS = 16_000_000  # of a file: 48 MB as RGB
LONGEST_SIDE = 1_200  # pixels, as carried

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by a PNG's kind of colour
_TRIES = 6


def decode(data: bytes) -> Image:
    """The first frame of an image, on white. Raises `OpaqueError`."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of so many pixels that they are refused below
            opened = Image.open(io.BytesIO(data), formats=FORMATS)
        if opened.width * opened.height > MOST_PIXELS:
            raise OpaqueError(f"it has over {MOST_PIXELS // 1_000_000} million pixels")
        return _flat(opened)
    except OpaqueError:
        raise
    except Image.DecompressionBombError as error:
        raise OpaqueError(f"it has over {MOST_PIXELS // 1_000_000} million pixels") from error
    except Exception as error:  # whatever a broken or hostile file makes a decoder raise
        raise OpaqueError("it is no image that can be decoded") from error


def _flat(opened: Image) -> Image:
    """As gray or RGB: on a page in dark colours, what is transparent would hide what is dark."""
    from PIL import Image

    if opened.mode.startswith("I"):  # 16 bits a pixel, which a plain conversion would clip
        opened = opened.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if "transparency" in opened.info or opened.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        layer = opened.convert("RGBA")
        flat = Image.new("RGB", layer.size, "white")
        flat.paste(layer, mask=layer.getchannel("A"))
        return flat
    return opened.convert("L" if opened.mode in ("1", "L") else "RGB")


def differing(original: Image, rerun: Image) -> float | None:
    """The share of pixels that differ, 0 to 1; None for images of other sizes."""
    from PIL import ImageChops

    if original.size != rerun.size:
        return None
    ours, theirs = original.convert("RGB"), rerun.convert("RGB")
    red, green, blue = ImageChops.difference(ours, theirs).split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return 1 - most.histogram()[0] / (ours.width * ours.height)


def fitted(image: Image, most: int) -> Picture:
    """The image as PNG of at most `most` bytes: with all its colours, else with 256 of them, else
    smaller, too. Raises `OpaqueError`.
    """
    size = image.size
    image = _at_most(image, LONGEST_SIDE / max(size))
    png = _png(image)
    if len(png) > 8 * most:  # a photograph: with 256 colours it has a third or a quarter
        image = _at_most(image, math.sqrt(4 * most / len(png)))
    for _ in range(_TRIES):
        if len(png) <= most:
            return Picture(
                png=png, width=image.width, height=image.height, scaled=image.size != size
            )
        png = _png(_with_few_colours(image))
        if len(png) > most:
            image = _at_most(image, 0.9 * math.sqrt(most / len(png)))
            png = _png(_with_few_colours(image))
    raise OpaqueError("it does not fit, however small")


def _at_most(image: Image, factor: float) -> Image:
    if factor >= 1:
        return image
    return image.resize([max(1, int(side * factor)) for side in image.size])


def _with_few_colours(image: Image) -> Image:
    from PIL.Image import Dither

    return image if image.mode == "L" else image.quantize(256, dither=Dither.NONE)


def _png(image: Image) -> bytes:
    image.info.clear()  # comments, profiles and places
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


# --- PNG of a report's file, which is not decoded -------------------------------------------------


def refuse_others(picture: Picture) -> None:
    """Refuses what `fitted` cannot have made: no PNG, of another size than told, with more in it
    than pixels, or with more pixels than are shown. Raises `ValueError`.
    """
    chunks = list(_chunks(picture.png))
    kinds = [kind for kind, _ in chunks]
    if kinds[:1] != [b"IHDR"] or kinds[-1] != b"IEND" or kinds.count(b"IHDR") > 1:
        raise ValueError("a picture is no PNG")
    if unknown := set(kinds) - _CHUNKS:
        raise ValueError(f"a picture holds more than pixels: {min(unknown)!r}")
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
    if (width, height) != (picture.width, picture.height) or rest != [0, 0, 0]:
        raise ValueError("a picture is not of the size that is told")
    if not 0 < max(width, height) <= LONGEST_SIDE or colour not in _CHANNELS or depth > 8:
        raise ValueError(f"a picture has over {LONGEST_SIDE} pixels a side")
    row = 1 + math.ceil(width * depth * _CHANNELS[colour] / 8)
    packed = b"".join(data for kind, data in chunks if kind == b"IDAT")
    if len(_unpacked(packed, row * height + 1)) != row * height:
        raise ValueError("a picture has not the pixels that are told")


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not png.startswith(_SIGNATURE):
        raise ValueError("a picture is no PNG")
    at = len(_SIGNATURE)
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8].ljust(8, b"\0"))
        end = at + 12 + size
        if end > len(png) or zlib.crc32(png[at + 4 : end - 4]) != int.from_bytes(
            png[end - 4 : end]
        ):
            raise ValueError("a picture is a broken PNG")
        yield kind, png[at + 8 : end - 4]
        at = end


def _unpacked(packed: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, most)
    except zlib.error as error:
        raise ValueError("a picture is a broken PNG") from error
