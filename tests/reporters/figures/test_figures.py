"""What holds of every figure."""

import hashlib
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path
from xml.etree import ElementTree

import pytest

from reprocheck.reporters.figures import curves, intervals
from tests.reporters.figures import drawings
from tests.reporters.figures.drawings import SVG, each_kind, words

TAGS = {f"{SVG}{name}" for name in ("svg", "g", "path", "circle", "text")}
ATTRIBUTES = {"class", "d", "cx", "cy", "r", "x", "y", "transform", "text-anchor", "fill", "stroke"}
HOSTILE = "$\\frac{1}{0}$</text><script>&amp;\x1b[1m\ud800\u202e\x00\ufffe" + "丽" * 10_000


@pytest.fixture(scope="module")
def drawn():
    return each_kind()


def test_every_kind_is_drawn(drawn):
    assert len(drawn) == 10


def test_it_holds_shapes_and_texts_alone(drawn):
    for figure in drawn.values():
        root, *inner = ElementTree.fromstring(figure.svg).iter()
        assert {root.tag, *(each.tag for each in inner)} <= TAGS
        assert {name for each in inner for name in each.attrib} <= ATTRIBUTES
        assert figure.svg.startswith('<svg xmlns="http://www.w3.org/2000/svg" class="plot')
        assert figure.svg.count("http") == 1
        assert (root.get("role"), root.get("aria-label")) == ("img", figure.alt)


def test_it_is_told_in_sentences(drawn):
    for figure in drawn.values():
        assert figure.alt.endswith(".") and figure.caption.endswith(".")


def test_it_is_small(drawn):
    assert max(len(figure.svg) for figure in drawn.values()) < 8_000


def test_the_page_colors_every_class(drawn):
    style = resources.files("reprocheck.reporters").joinpath("templates", "figures.css")
    known = style.read_text("utf-8")
    plain = {f"on-{shade}" for shade in ("heat-0", "more-1", "more-2", "less-1", "less-2")}
    used = {name for figure in drawn.values() for name in drawings.classes(figure.svg)}
    unknown = {name for name in used - plain if f".{name}" not in known}
    assert unknown <= {"heat-0", "on-heat-1", "on-heat-2", "on-heat-3", "end", "side"}


def test_texts_of_a_run_are_texts_and_short():
    for kind, figure in each_kind(HOSTILE).items():
        said = words(figure.svg)
        if kind not in ("timeline", "share"):
            assert any("$\\frac" in each for each in (*said, figure.alt)), kind
        for text in (figure.svg, figure.alt, figure.caption):
            assert text.isprintable() and "\ud800" not in text
        assert len(figure.svg) < 12_000


def test_other_processes_and_settings_draw_the_same_bytes(drawn, tmp_path: Path):
    """Neither the order of hashes nor a matplotlibrc of a checkout, readable or not, matters."""
    (tmp_path / "matplotlibrc").write_bytes(b"lines.linewidth: 9\n\xff\xfe")
    code = (
        "import sys, hashlib\nfrom tests.reporters.figures.drawings import each_kind\n"
        "told = ''.join(each.svg for each in each_kind().values())\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "print(hashlib.sha256(told.encode()).hexdigest())"
    )
    env = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    here = "".join(each.svg for each in drawn.values())
    assert (done.stderr, done.stdout.strip()) == ("", hashlib.sha256(here.encode()).hexdigest())


def test_the_settings_of_matplotlib_are_left_alone():
    import matplotlib as mpl

    with mpl.rc_context({"path.sketch": (9, 9, 9), "lines.linewidth": 30}):
        before = dict(mpl.rcParams)
        once = each_kind()["interval"]
        assert dict(mpl.rcParams) == before
    assert once == each_kind()["interval"]


def test_eight_metrics_of_ten_long_histories_stay_small():
    report = drawings.run_report(points=2_000, reruns=10)
    histories = curves.histories(report, "accuracy")
    interval = intervals.interval(report.comparisons[0])
    assert histories and interval
    assert 8 * (len(histories.svg) + len(interval.svg)) < 300_000
    assert len(histories.svg) < 25_000
