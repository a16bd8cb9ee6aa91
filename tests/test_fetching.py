"""Fetching a run into a bundle, and verifying from it."""

from __future__ import annotations

from pathlib import Path

from tests.lab import Lab, copy_of


def test_a_bundle_gives_the_same_answer_as_the_tracker(lab: Lab, tmp_path: Path) -> None:
    own = copy_of(lab, tmp_path)
    bundle = tmp_path / "bundle"
    fetched = own.reprocheck(
        "fetch", own.seeded, "--tracking-uri", own.uri, "--bundle", str(bundle)
    )
    assert fetched.exit_code == 0, fetched.stdout + fetched.stderr
    (own.root / "mlflow.db").unlink()
    again = own.reprocheck("verify", "--bundle", str(bundle))
    assert again.exit_code == 0, again.stdout + again.stderr
    assert again.stdout.startswith("IDENTICAL")
