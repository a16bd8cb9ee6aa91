"""The benchmarks run; their figures are read by people."""

from __future__ import annotations

import re

from benchmarks import audit, capture, data, environments


def test_the_benchmark_of_environments_prints_its_table(capsys):
    environments.main(["--quick", "--only", "conda"])
    printed = capsys.readouterr().out
    assert "reprocheck, conda" in printed
    assert "every warm rebuild under 1 s" in printed


def test_what_the_machine_lacks_is_left_out_and_told(capsys, monkeypatch):
    monkeypatch.setattr("reprocheck.environments.conda_rattler.is_installed", lambda: False)
    environments.main(["--quick", "--only", "conda"])
    assert "left out: conda: py-rattler is not installed" in capsys.readouterr().out


def test_the_benchmark_of_data_measures_memory(capsys):
    data.main(["--gib", "0.002", "--sizes", "1", "--only", "memory"])
    assert re.search(r"2 MiB +\d+ MiB +\d+ MiB", capsys.readouterr().out)


def test_the_benchmark_of_data_judges_by_its_aims():
    def row(name, cold, warm):
        costs = [[data.Cost(seconds=s, peak_mib=40.0)] for s in (cold, warm)]
        return data.Row(name=name, run=lambda: costs[0][0], cold=costs[0], warm=costs[1])

    pull = row("dvc pull", 2.0, 1.0)
    told = [*data.table("files", [pull, row("reprocheck", 2.2, 0.9)])]
    assert told[3].split()[:6] == ["reprocheck", "2.20", "s", "1.10", "0.90", "s"]
    assert told[-1].endswith("yes")
    for cold, warm in ((2.21, 0.9), (2.0, 1.0)):
        assert [*data.table("files", [pull, row("reprocheck", cold, warm)])][-1].endswith("NO")


def test_the_benchmark_of_audits_measures_time_and_memory(capsys):
    audit.main(["--runs", "6"])
    printed = capsys.readouterr().out
    assert re.search(r"\n +6 +[\d.]+ s +\d+ MiB +[\d.]+ s +\d+%\n", printed)
    assert "memory flat" in printed


def test_the_benchmark_of_audits_judges_by_its_aims():
    def told(seconds, peak_mib):
        costs = [audit.Cost(seconds=s, peak_mib=m) for s, m in ((9, 100), (seconds, peak_mib))]
        rows = [audit.Row(runs=n, cost=cost, search_s=3) for n, cost in enumerate(costs)]
        return [line.split()[-1] for line in [*audit.table(rows)][-2:]]

    assert told(59, 150) == ["yes", "yes"]
    assert told(61, 151) == ["NO", "NO"]


def test_the_benchmark_of_capture_records_one_way_and_not_the_other(tmp_path):
    project = capture.repository(tmp_path / "project", files=3)
    store = (tmp_path / "store").as_uri()  # a database would take seconds to make
    assert capture.trained(project, store, recorded=False)["git"] == 0.0
    assert capture.trained(project, store, recorded=True)["git"] > 1.0


def test_the_benchmark_of_capture_judges_by_its_aim_with_gits_time_aside():
    off = capture.Cost(imported=1000.0, run=20.0, git=0.0, cpu=5.0)
    for run, judged in ((219.0, "yes"), (220.0, "NO")):
        on = capture.Cost(imported=1010.0, run=run, git=50.0, cpu=9.0)
        lines = [*capture.table(100, off, on)]
        assert lines[1].endswith("1.01 x")
        assert lines[-1].endswith(judged)
