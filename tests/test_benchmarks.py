"""The benchmarks run; their figures are read by people."""

from __future__ import annotations

from benchmarks import environments


def test_the_benchmark_of_environments_prints_its_table(capsys):
    environments.main(["--quick", "--only", "conda"])
    printed = capsys.readouterr().out
    assert "reprocheck, conda" in printed
    assert "every warm rebuild under 1 s" in printed


def test_what_the_machine_lacks_is_left_out_and_told(capsys, monkeypatch):
    monkeypatch.setattr("reprocheck.environments.conda_rattler.is_installed", lambda: False)
    environments.main(["--quick", "--only", "conda"])
    assert "left out: conda: py-rattler is not installed" in capsys.readouterr().out
