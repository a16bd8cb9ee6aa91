"""Which products are shown, in which order they have room, and what is told of the others."""

import hashlib

import pytest

from reprocheck import exhibits, pictures
from reprocheck.detail import dump
from reprocheck.exhibit_documents import MOST_BYTES, exhibit, size_of
from reprocheck.model import ExhibitKind, Product
from tests.reporters.exhibits import encode, make_image
from tests.test_pictures import noise

WIDE = "\n".join([",".join(f"{1 / (i + 1):.17f}" for i in range(60))] * 60).encode()
RED = encode(make_image())
CM = b",cat,dog\ncat,5,1\ndog,2,4\n"


@pytest.fixture
def pairs(tmp_path):
    def product(path, data):
        return data and Product(path=path, sha256=hashlib.sha256(data).hexdigest(), size=len(data))

    def make(sides):
        found = []
        for number, (path, (ours, theirs)) in enumerate(sides.items()):
            files = [tmp_path / f"{number}-{side}" for side in "ab"]
            for file, data in zip(files, (ours, theirs), strict=True):
                file.write_bytes(data or b"")
            pair = exhibits.Pair(
                original=product(path, ours),
                rerun=product(path, theirs),
                original_file=files[0],
                rerun_file=files[1] if theirs else None,
            )
            found.append(pair)
        return found

    return make


@pytest.fixture
def shown(pairs):
    def make(sides):
        return exhibits.exhibits(pairs(sides), 1)

    return make


def test_what_differs_comes_first_and_then_by_path(shown):
    red, blue = encode(make_image("red")), encode(make_image("blue"))
    found = shown(
        {"b.png": (red, red), "z.png": (red, blue), "a.csv": (b"x", b"x"), "c.png": (red, None)}
    )
    assert [each.path for each in found] == ["c.png", "z.png", "b.png"]


def test_the_same_file_is_carried_once_and_so_are_the_same_pixels(shown):
    red = make_image()
    ours, other = encode(red), encode(red, compress_level=0)
    same, pixels = shown({"b.png": (ours, ours), "a.png": (ours, other)})[::-1]
    assert (same.same, pixels.same, same.pixels, pixels.pixels) == (True, True, None, 0.0)
    assert pixels.original.sha256 != pixels.rerun.sha256
    for each in (same, pixels):
        assert each.original.content is not None
        assert each.rerun.content is None


def test_both_sides_of_a_matrix_are_carried(shown):
    (found,) = shown({"confusion.csv": (CM, CM.replace(b"5", b"4"))})
    assert (found.kind, found.left_out) == (ExhibitKind.MATRIX, "")
    assert (found.original.content.values[0], found.rerun.content.values[0]) == ((5, 1), (4, 1))


@pytest.mark.parametrize(
    ("path", "ours", "theirs", "why"),
    [
        ("a.png", b"broken", CM, "the original's: it is no image that can be decoded"),
        ("a.png", RED, b"broken", "the rerun's: it is no image that can be decoded"),
        ("confusion.csv", CM, b"a,b\n1,word\n", "the rerun's is no such table of numbers"),
        ("confusion.json", b"{", b"[", "it cannot be read"),
        ("roc.csv", b"fpr,tpr\n0,0\n1,1\n2,2\n", b"fpr,tpr\n0,0\n", "the rerun's is no curve"),
        ("confusion.csv", b"1," * 600_000, b"2", "the original's has over 1 MB"),
        ("confusion.csv", WIDE, CM + WIDE[:-1], "the rerun's is no such table of numbers"),
        ("confusion.csv", WIDE, WIDE + b" ", "its numbers take more than 100 KB"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_told_by_digest_and_reason(shown, path, ours, theirs, why):
    (found,) = shown({path: (ours, theirs)})
    assert found.left_out == why
    assert (found.original.content, found.rerun.content) == (None, None)
    assert found.rerun.sha256 == hashlib.sha256(theirs).hexdigest()


def test_a_file_that_is_not_at_hand_or_has_changed_is_told(pairs):
    gone, changed = pairs({"a.png": (RED, RED), "b.png": (RED, CM)})
    gone.original_file.unlink()
    changed.rerun_file.write_bytes(RED)
    found = exhibits.exhibits([gone, changed], 1)
    assert {each.path: each.left_out for each in found} == {
        "a.png": "the original's can no longer be read",
        "b.png": "the rerun's has changed since its digest was taken",
    }


def test_what_describes_a_model_or_holds_predictions_is_no_exhibit(shown):
    names = ("model/MLmodel", "model/confusion.csv", "predictions.csv", "page.svg", "page.html")
    assert shown(dict.fromkeys(names, (CM, CM))) == ()


def test_images_that_do_not_fit_are_made_smaller_each_for_half_of_the_room(shown):
    ours = noise("RGB", 200)
    (found,) = shown({"a.png": (encode(ours), encode(ours.transpose(0)))})
    assert found.pixels > 0.99
    assert found.original.content.scaled
    assert 70_000 < size_of(exhibit(found)) <= MOST_BYTES


def test_the_room_ends_with_800_kb(shown):
    found = shown({f"confusion-{i:02}.csv": (WIDE, None) for i in range(20)})
    fit = [each for each in found if not each.left_out]
    assert found[: len(fit)] == tuple(fit)
    assert 700_000 < len(dump({"exhibits": list(map(exhibit, fit))})) <= 800_000
    told = "the exhibits before it take up the 800 KB that there are for them"
    assert {each.left_out for each in found[len(fit) :]} == {told}


def test_with_no_room_left_the_rest_is_not_even_opened(shown, monkeypatch):
    room = exhibits._Room
    monkeypatch.setattr(exhibits, "_Room", lambda: room(bytes=500))
    sides = {f"{i}.png": (RED, None) for i in range(exhibits.MOST_REFUSED)}
    found = shown({**sides, "z.png": (b"no image", None)})
    assert "no image" not in found[-1].left_out


def test_reading_ends_with_its_time_and_nothing_more_is_opened(shown, monkeypatch):
    monkeypatch.setattr(exhibits, "LONGEST_S", -1.0)
    monkeypatch.setattr(pictures, "decode", None)
    (found,) = shown({"a.png": (b"x", b"y"), "table.csv": (CM, CM)})
    assert (found.path, found.left_out) == ("a.png", "reading the exhibits before it took too long")
