from pathlib import Path

import pytest

from reprocheck import cli


def test_an_error_outside_of_the_stages_moves_no_cursor_and_tells_no_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "reprocheck.yaml"
    config.write_text('version: 1\nreruns: {"\\e]0;x\\a https://me:hunter2@host/": 1}\n')
    assert cli.run(["verify", "abcd", "--config", str(config)]) == 2
    told = capsys.readouterr().err
    assert told.splitlines()[1].startswith("Hint: ")
    assert "\x1b" not in told
    assert "hunter2" not in told
