"""Images, matrices and curves in a page, from the report alone."""

import base64

import pytest

from reprocheck.reporters import exhibit_rows, pages
from tests.reporters.builders import make_report
from tests.reporters.exhibits import (
    make_curve,
    make_exhibit,
    make_grid,
    make_picture,
)

HOSTILE = "<img src=x onerror=alert(1)>.png"


def rows(*exhibits):
    return exhibit_rows.exhibits(make_report(exhibits=exhibits))


def shown(*exhibits):
    template = pages._environment().get_template("exhibits.html")
    return template.render(exhibits=rows(*exhibits))


def labels(row):
    return [part["label"] for part in row["parts"]]


def test_images_of_both_sides_stand_beside_each_other_with_what_share_of_pixels_differs():
    ours = make_picture("red")
    (row,) = rows(make_exhibit("a.png", ours, make_picture("blue"), pixels=0.0123))
    assert labels(row) == ["Original", "Rerun"]
    assert row["parts"][0]["src"] == "data:image/png;base64," + base64.b64encode(ours.png).decode()
    assert row["parts"][1]["alt"] == "a.png, rerun"
    assert (row["state"], row["told"]) == ("differs", "1.23 % of the pixels differ.")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "Rerun 1 logged the same file."),
        ({"pixels": 0.0}, "The files differ, and all their pixels are the same."),
    ],
)  # fmt: skip
def test_what_is_the_same_is_shown_once(changes, told):
    (row,) = rows(make_exhibit("a.png", make_picture(), **changes))
    assert (labels(row), row["state"], row["told"]) == (["Original and rerun"], "identical", told)


def test_a_tiny_share_of_pixels_is_not_rounded_to_none():
    (row,) = rows(make_exhibit("a.png", make_picture(), make_picture("blue"), pixels=1e-6))
    assert row["told"] == "Under 0.01 % of the pixels differ."


def test_a_matrix_is_drawn_for_both_sides_and_their_difference():
    (row,) = rows(make_exhibit("cm.csv", make_grid(), make_grid((47.0, 3.0), (3.0, 47.0))))
    assert labels(row) == ["Original", "Rerun", "Rerun minus original"]
    assert all(part["svg"].startswith("<svg") for part in row["parts"])


def test_matrices_of_other_shapes_have_no_difference_and_it_is_said():
    other = make_grid((1.0, 2.0, 3.0), columns=("cat", "dog", "cow"), names=("cat",))
    (row,) = rows(make_exhibit("cm.csv", make_grid(), other))
    assert labels(row) == ["Original", "Rerun"]
    assert "not the same on both sides" in row["told"]


def test_curves_are_drawn_into_one_plot():
    one, same = rows(
        make_exhibit("a.json", make_curve(), make_curve(2.0, thinned=9)),
        make_exhibit("b.json", make_curve()),
    )
    assert labels(one) == labels(same) == ["Original and rerun"]
    assert one["told"] == "Up to 9 points of a curve between these are left out."
    assert "no rerun" not in same["parts"][0]["alt"]


def test_a_large_table_is_drawn_by_its_difference_alone(monkeypatch):
    monkeypatch.setattr(exhibit_rows, "LARGE", 3)
    (row,) = rows(make_exhibit("cm.csv", make_grid(), make_grid((1.0, 2.0), (3.0, 4.0))))
    assert labels(row) == ["Rerun minus original"]
    assert row["told"] == "The table is large: its difference alone is drawn."


def test_a_page_has_no_more_drawings_than_it_can_hold(monkeypatch):
    nearly_full = exhibit_rows._Sheet(cells=exhibit_rows.DRAWING + 5)
    monkeypatch.setattr(exhibit_rows, "_Sheet", lambda: nearly_full)
    first, second = rows(make_exhibit("a.csv"), make_exhibit("b.csv"))
    assert (len(first["parts"]), second["parts"]) == (1, [])
    assert "The numbers are in report.json" in second["told"]


def test_what_is_left_out_is_listed_with_name_digests_and_reason():
    gone = make_exhibit(HOSTILE, make_picture(), left_out="it has <over> 32 MB")
    text = shown(make_exhibit("a.png", make_picture()), gone)
    assert "&lt;img src=x onerror=alert(1)&gt;.png" in text
    assert "it has &lt;over&gt; 32 MB" in text
    assert "1f" * 32 in text
    assert text.count("<img ") == 1


def test_a_missing_file_is_said_and_the_original_is_shown():
    (row,) = rows(make_exhibit("a.png", make_picture(), missing=True))
    assert (labels(row), row["state"]) == (["Original"], "missing in the rerun")
    assert row["told"] == "Rerun 1 logged no such file."


def test_a_browser_shows_both_sides_beside_each_other_and_stacked_where_it_is_narrow(browser):
    pictures = (make_picture("red", (400, 300)), make_picture("blue", (400, 300)))
    style = "".join(pages._read(name) for name in ("style.css", "exhibits.css"))
    page = browser.new_page(viewport={"width": 1_000, "height": 600})
    page.set_content(f"<style>{style}</style>{shown(make_exhibit('a.png', *pictures))}")
    images = page.locator("img")
    assert images.evaluate_all("all => all.map(each => each.naturalWidth)") == [400, 400]
    assert images.nth(0).bounding_box()["y"] == images.nth(1).bounding_box()["y"]
    page.set_viewport_size({"width": 390, "height": 600})
    assert images.nth(0).bounding_box()["y"] < images.nth(1).bounding_box()["y"]
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.close()


def test_a_report_without_exhibits_has_no_section():
    assert shown().strip() == ""
