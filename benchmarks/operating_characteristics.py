"""Regenerates the figure and the tables of docs/statistics.md: how often each plan finds what.

Simulated normal runs with one original each; half a minute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reprocheck.compare.paths import decide_paths
from reprocheck.model import RerunPlan, Verdict

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "statistics.md"
FIGURE = ROOT / "docs" / "figures" / "operating-characteristics.svg"
SEED = 20261121
PATHS = 200_000
MARGINS = (2.8, 2.0)
SHIFTS = (0.0, 1.0, 2.0, 2.8, 4.0, 6.0, 8.0)
CURVE = tuple(float(x) for x in np.linspace(0, 8, 33))
SEQUENTIAL = "3 to 8 reruns"
FIXED = "always 5 reruns"
NAIVE = "p > 0.05 after 5 reruns"
PLANS = {SEQUENTIAL: RerunPlan(least=3, most=8), FIXED: RerunPlan(least=5, most=5)}
ANSWERS = (Verdict.REPRODUCED, Verdict.INCONCLUSIVE, Verdict.NOT_REPRODUCED)
LINES = {SEQUENTIAL: ("-", "#0b5fa5"), FIXED: ("--", "#555555"), NAIVE: (":", "#c2410c")}
HEADER = (
    "| true shift | 3 to 8 reruns | mean reruns | always 5 reruns | p > 0.05 after 5 reruns |\n"
    "|---:|---:|---:|---:|---:|"
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Chances:
    """Probabilities of the answers, in the order of ANSWERS, and the mean of the reruns."""

    answers: tuple[float, ...]
    reruns: float


def draw(paths: int, seed: int) -> tuple[Floats, Floats]:
    """Originals and eight reruns of one process with standard deviation 1."""
    generator = np.random.default_rng(seed)
    return generator.standard_normal(paths), generator.standard_normal((paths, 8))


def simulate(draws: tuple[Floats, Floats], shift: float, margin: float) -> dict[str, Chances]:
    """The chances by rule when the reruns' process is moved by `shift` standard deviations."""
    originals, reruns = draws[0], draws[1] + shift
    chances = {}
    for name, plan in PLANS.items():
        found = decide_paths(originals, reruns, plan, margin)
        answers = tuple(found.share(verdict) for verdict in ANSWERS)
        chances[name] = Chances(answers=answers, reruns=float(found.reruns.mean()))
    chances[NAIVE] = _naive(originals, reruns)
    return chances


def _naive(originals: Floats, reruns: Floats) -> Chances:
    """Taking the absence of a significant difference for reproduction."""
    # With a margin of 0 the prediction test alone decides.
    found = decide_paths(originals, reruns, PLANS[FIXED], 0.0)
    alarms = found.share(Verdict.NOT_REPRODUCED)
    return Chances(answers=(1 - alarms, 0.0, alarms), reruns=5.0)


def row_of(shift: float, chances: Mapping[str, Chances]) -> str:
    """A line of a table: the answers' percentages in the order of ANSWERS."""
    reruns = f"{chances[SEQUENTIAL].reruns:.1f}"
    cells = [_answers(chances[name]) for name in (SEQUENTIAL, FIXED, NAIVE)]
    return f"| {' | '.join([f'{shift:g} SD', cells[0], reruns, *cells[1:]])} |"


def _answers(chances: Chances) -> str:
    return " / ".join(f"{100 * share:.1f}" for share in chances.answers)


def table(draws: tuple[Floats, Floats], margin: float) -> str:
    """The table of one margin."""
    rows = [row_of(shift, simulate(draws, shift, margin)) for shift in SHIFTS]
    return "\n".join([HEADER, *rows])


def replaced(page: str, margin: float, new: str) -> str:
    """The page with the table between the margin's markers replaced."""
    begin, end = markers(margin)
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    page, found = pattern.subn(f"{begin}\n\n{new}\n\n{end}", page)
    if found != 1:
        raise ValueError(f"{begin} stands {found} times in the page")
    return page


def markers(margin: float) -> tuple[str, str]:
    """The comments around a table."""
    return f"<!-- table: margin {margin:g} -->", f"<!-- end: margin {margin:g} -->"


def plot(draws: tuple[Floats, Floats], shifts: Sequence[float], target: Path) -> None:
    """Draw a row of panels for each margin: the three answers, and the reruns spent."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update(
        {
            "svg.hashsalt": "reprocheck",  # else ids are drawn anew each time
            "svg.fonttype": "none",
            "font.size": 9,
            "font.family": "sans-serif",
        }
    )
    from matplotlib import pyplot as plt

    figure, rows = plt.subplots(len(MARGINS), 4, figsize=(11, 5.4), sharex=True, squeeze=False)
    for panels, margin in zip(rows, MARGINS, strict=True):
        _plot_margin(panels, [simulate(draws, shift, margin) for shift in shifts], shifts, margin)
    for panel in rows[-1]:
        panel.set_xlabel("true shift (SD of a run)")
    handles, labels = rows[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=3, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.95))
    figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)


def _plot_margin(
    panels: Sequence, found: Sequence[Mapping[str, Chances]], shifts: Sequence[float], margin: float
) -> None:
    for name, (style, colour) in LINES.items():
        line = {"linestyle": style, "color": colour, "label": name}
        for panel, index in zip(panels, range(3), strict=False):
            panel.plot(shifts, [100 * chances[name].answers[index] for chances in found], **line)
        if name != NAIVE:
            panels[3].plot(shifts, [chances[name].reruns for chances in found], **line)
    for panel, title in zip(panels, (*ANSWERS, "mean reruns"), strict=True):
        panel.axvline(margin, color="#bbbbbb", linewidth=0.8)
        panel.set_title(title if title == "mean reruns" else f"{title} (%)", fontsize=9)
        panel.set_ylim((0, 8.4) if title == "mean reruns" else (-3, 103))
    panels[0].set_ylabel(f"margin {margin:g} SD")


def main() -> None:
    draws = draw(PATHS, SEED)
    page = PAGE.read_text(encoding="utf-8")
    for margin in MARGINS:
        page = replaced(page, margin, table(draws, margin))
    PAGE.write_text(page, encoding="utf-8")
    FIGURE.parent.mkdir(exist_ok=True)
    plot(draws, CURVE, FIGURE)
    print(f"wrote {PAGE.relative_to(ROOT)} and {FIGURE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
