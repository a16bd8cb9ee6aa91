"""From a run that no longer reproduces to its accepted baseline, and the look back."""

from __future__ import annotations

import json
from pathlib import Path

from reprocheck import schema
from reprocheck.accepted import FILE_NAME
from tests.lab import Lab, copy_of


def test_a_changed_result_is_accepted_and_counts_from_then_on(lab: Lab, tmp_path: Path) -> None:
    lab = copy_of(lab, tmp_path)
    lab.add_to_metric(lab.seeded, "accuracy", 0.05)
    kept = ("--reports", str(tmp_path / "kept"))
    changed = lab.verify(lab.seeded, *kept)
    assert changed.exit_code == 10
    (own,) = changed.report["comparisons"][0]["baseline"]

    asked = ("accept", lab.seeded[:8], *kept, "--reason", "the | data's `noise`", "--by", "Jo")
    dry = lab.reprocheck(*asked, "--dry-run")
    assert (dry.exit_code, (lab.repo.path / FILE_NAME).exists()) == (0, False)
    assert "Nothing was written" in dry.stdout
    done = lab.reprocheck(*asked)
    assert done.exit_code == 0, done.stderr
    assert "accuracy  0.9" in done.stdout
    assert "Next: commit reprocheck.baseline.json" in done.stdout
    (entry,) = json.loads((lab.repo.path / FILE_NAME).read_text())["accepted"]
    assert (entry["by"], entry["metrics"]["accuracy"]["old"]) == ("Jo", [own])
    assert list(entry["metrics"]) == ["accuracy"]  # loss reproduced

    dry = lab.verify(lab.seeded, "--dry-run")
    assert "baseline that Jo accepted on" in " ".join(dry.stdout.split())
    again = lab.verify(lab.seeded, *kept)
    assert (again.exit_code, again.verdict) == (0, "IDENTICAL"), again.stdout
    assert again.stdout.splitlines()[0] == "IDENTICAL against the accepted baseline"
    told = " ".join(again.stdout.split())
    assert "baseline that Jo accepted on" in told
    assert "(the | data's `noise`) for accuracy; the run's own value is 0.9" in told
    assert again.report["acceptance"] == entry
    assert schema.check(again.report, "report") == ()

    none = lab.verify(lab.seeded, "--accepted", "", "--dry-run")
    assert (none.report["acceptance"], none.report["comparisons"][0]["baseline"]) == (None, [own])
    nothing = lab.reprocheck(*asked)
    assert (nothing.exit_code, "Nothing to accept" in nothing.stdout) == (0, True)

    seen = lab.reprocheck("history", lab.seeded[:6], *kept)
    assert seen.exit_code == 0, seen.stderr
    assert seen.stdout.startswith("Reproduces since 20")
    assert "acceptance" in seen.stdout
    document = json.loads(lab.reprocheck("history", lab.seeded, *kept, "--json", "-").stdout)
    assert schema.check(document, "history") == ()
    assert [each["verdict"] for each in document["verifications"]] == [
        *("NOT_REPRODUCED", "IDENTICAL"),
    ]
    changes = {each["what"] for each in document["turn"]["changes"]}
    assert changes == {"baseline of accuracy", "acceptance"}


def test_what_is_wrong_is_told_before_anything_is_written(lab: Lab, tmp_path: Path) -> None:
    folder = ("--reports", str(tmp_path / "none"))
    unknown = lab.reprocheck("accept", "3f2a91", "--reason", "why", *folder)
    assert (unknown.exit_code, "holds no report of any run" in unknown.stderr) == (2, True)
    assert lab.reprocheck("history", "3f2a91", *folder).exit_code == 2
    lacking = lab.reprocheck("accept", "3f2a91", *folder)
    assert (lacking.exit_code, "--reason" in lacking.stderr) == (2, True)
    empty = lab.reprocheck("accept", "3f2a91", "--reason", " ", *folder)
    assert (empty.exit_code, "--reason is empty" in empty.stderr) == (2, True)
    broken = tmp_path / "broken.json"
    broken.write_text('{"version": 1,\n "accepted": [1]}')
    refused = lab.verify(lab.seeded, "--accepted", str(broken))
    assert refused.exit_code == 2
    assert f"{broken}:2: /accepted/0" in refused.stderr
