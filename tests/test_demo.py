import json
from pathlib import Path

from reprocheck import cli, schema

EXPECTED = {
    "seeded": "IDENTICAL",
    "unseeded": "REPRODUCED",
    "old-data": "IDENTICAL",
    "inflated": "NOT_REPRODUCED",
}


def test_the_demo_makes_trains_and_verifies_four_real_runs(tmp_path: Path, capfd) -> None:
    assert cli.run(["demo", str(tmp_path / "demo"), "--quiet"]) == 0
    printed = capfd.readouterr().out
    for name, verdict in EXPECTED.items():
        report = json.loads((tmp_path / f"demo/reports/{name}.json").read_text())
        assert report["verdict"] == verdict
        assert not schema.check(report, "report")
        assert (tmp_path / f"demo/reports/{name}.md").is_file()
        assert f"{name:<10}{verdict}" in printed
        assert report["environment"]["isolation"] in printed
    assert str(tmp_path / "demo/reports") in printed


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path, capfd) -> None:
    (tmp_path / "mine").write_text("keep")
    assert cli.run(["demo", str(tmp_path)]) == 2
    assert "not empty" in capfd.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
