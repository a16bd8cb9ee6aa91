"""Images of strangers, decoded within limits and written anew."""

import dataclasses
import hashlib
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from reprocheck import pictures
from reprocheck.errors import OpaqueError
from tests.reporters.exhibits import encode, make_image, make_picture


def noise(mode, side):
    """What no compression makes smaller."""
    count = side * side * len(mode)
    data = b"".join(
        hashlib.sha256(bytes([i % 256, i // 256])).digest() for i in range(count // 32 + 1)
    )
    return Image.frombytes(mode, (side, side), data[:count])


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, pixels, *, extra=b""):
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(pixels))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_each_kind_of_image_is_written_anew_as_png(form):
    found = pictures.fitted(pictures.decode(encode(make_image("red", (40, 30)), form)), 10_000)
    assert (found.width, found.height, found.scaled) == (40, 30, False)
    pictures.refuse_others(found)
    red, green, _ = pictures.decode(found.png).convert("RGB").getpixel((20, 15))
    assert red > 245
    assert green < 10


def test_nothing_but_pixels_stays_in_an_image():
    told = PngImagePlugin.PngInfo()
    told.add_text("Author", "SECRET")
    data = encode(make_image(), pnginfo=told, exif=b"Exif\0\0SECRET", icc_profile=b"SECRET")
    found = pictures.fitted(pictures.decode(data), 10_000)
    assert b"SECRET" in data
    assert b"SECRET" not in found.png
    pictures.refuse_others(found)


def test_only_the_first_frame_of_a_moving_image_is_read():
    frames = [make_image("red"), make_image("blue")]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert pictures.decode(data).convert("RGB").getpixel((0, 0)) == (255, 0, 0)


def test_what_is_transparent_is_white_so_that_dark_lines_show_on_any_page():
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 255))
    decoded = pictures.decode(encode(image))
    assert [decoded.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (0, 0, 0)]


def test_gray_of_16_bits_keeps_its_shades():
    image = Image.frombytes("I;16", (2, 1), struct.pack("<2H", 0x4000, 0xC000))
    assert list(pictures.decode(encode(image)).tobytes()) == [0x40, 0xC0]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no image that can be decoded"),
        (encode(make_image())[:50], "no image that can be decoded"),
        (encode(make_image(), "TIFF"), "no image that can be decoded"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no image that can be decoded"),
        (png(4_001, 4_000, b""), "over 16 million pixels"),
        (png(60_000, 60_000, b""), "over 16 million pixels"),
    ],
)
def test_what_is_no_small_image_of_a_known_kind_is_left_out(data, told):
    with pytest.raises(OpaqueError, match=told):
        pictures.decode(data)


def test_pixels_that_differ_are_counted_whatever_the_bytes():
    ours, theirs = make_image(size=(10, 10)), make_image(size=(10, 10), dots=3)
    assert pictures.differing(ours, theirs) == pytest.approx(0.03)
    assert pictures.differing(ours, ours.convert("L").convert("RGB")) == 1.0
    assert pictures.differing(ours, make_image(size=(10, 10))) == 0.0
    assert pictures.differing(ours, make_image(size=(10, 9))) is None


def test_an_image_gives_up_colors_before_it_gives_up_size():
    image = noise("RGB", 60)
    whole = len(pictures.fitted(image, 10**6).png)
    fewer = pictures.fitted(image, whole - 1)
    assert (fewer.width, fewer.scaled) == (60, False)
    smaller = pictures.fitted(noise("L", 300), 20_000)
    assert smaller.scaled
    assert len(smaller.png) <= 20_000
    assert smaller.width == smaller.height > 100
    with pytest.raises(OpaqueError, match="however small"):
        pictures.fitted(image, 20)


def test_a_large_plot_is_shown_no_larger_than_a_page():
    found = pictures.fitted(Image.new("L", (3_000, 1_500)), 100_000)
    assert (found.width, found.height, found.scaled) == (1_200, 600, True)


# --- pictures of a report's file ----------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"GIF89a", "no PNG"),
        (b"\x89PNG\r\n\x1a\n", "no PNG"),
        (png(4, 3, bytes(15))[:-1], "broken"),
        (png(4, 3, bytes(15)).replace(b"IDAT", b"IDAt"), "broken"),
        (png(4, 3, bytes(15), extra=chunk(b"tEXt", b"a\0b")), "more than pixels"),
        (png(4, 3, bytes(15)) + chunk(b"IEND", b""), None),
        (png(4, 3, bytes(15)) + b"<script>", "broken"),
        (png(5, 3, bytes(18)), "size that is told"),
        (png(4, 3, bytes(14)), "pixels that are told"),
        (png(4, 3, bytes(10**6)), "pixels that are told"),
    ],
)
def test_a_picture_that_is_not_one_of_ours_is_refused(data, told):
    picture = dataclasses.replace(make_picture(), png=data)
    if told is None:
        return pictures.refuse_others(picture)
    with pytest.raises(ValueError, match=told):
        pictures.refuse_others(picture)
    return None


def test_a_picture_with_more_pixels_than_a_page_shows_is_refused_before_they_are_unpacked():
    picture = dataclasses.replace(
        make_picture(), png=png(60_000, 60_000, b""), width=60_000, height=60_000
    )
    with pytest.raises(ValueError, match="over 1200 pixels a side"):
        pictures.refuse_others(picture)
