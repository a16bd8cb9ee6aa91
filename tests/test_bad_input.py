"""Broken records, definitions, configs and schemas: one clear error each, and never a traceback."""

import os
from pathlib import Path

import pytest

from reprocheck import cli, config
from reprocheck.definition import read_definition
from reprocheck.errors import RecordFileError, ReprocheckError
from reprocheck.model import Origin, OriginKind, RecordedFile, RecordRules
from reprocheck.record_files import read_record_file
from reprocheck.team_rules import team_findings
from tests.reporters.builders import make_record

ASSETS = Path(__file__).parent / "assets/records"

RECORDS = {
    "empty.json": "it is empty",
    "utf-16.json": "it is UTF-16 text, not UTF-8",
    "utf-16-without-mark.json": "line 1: it is no text in UTF-8: it holds a NUL byte",
    "utf-32.json": "it is UTF-32 text, not UTF-8",
    "latin-1.json": "line 2: it is no text in UTF-8: it holds the byte 0xe9",
    "nul-byte.json": "line 2: it is no text in UTF-8: it holds a NUL byte",
    "nul-escaped.json": "/run_id holds a NUL character",
    "lone-surrogate.json": "/run_id holds half of a character",
    "lone-surrogate-key.json": "/hyperparameters/� holds half of a character",
    "duplicate-key.json": "line 3: the key 'run_id' is given twice",
    "duplicate-key-deep.json": "line 6: the key 'lr' is given twice",
    "nan-literal.json": "line 8: NaN is no number of JSON",
    "infinity-literal.json": "line 8: -Infinity is no number of JSON",
    "number-too-large.json": "line 8: the number 1e400 is too large",
    "integer-too-large.json": "/metrics/accuracy the number is too large",
    "integer-without-end.json": "it has a number with over 4,000 digits",
    "nested-too-deep.json": "values are nested too deep",
    "cut-off.json": "it is not JSON",
    "trailing-comma.json": "line 9: it is not JSON",
    "wrong-type.json": "/metrics/accuracy must be a number, NaN, Infinity, -Infinity or a mapping",
    "other-document.json": "a mapping with other keys (name, version)",
    "future-version.json": "it is of version 2, made for a newer reprocheck",
    "version-of-text.json": "/schema_version must be 1, not '1'",
    "report-without-record.json": "a report without a record",
    "cyclic-anchor.yaml": "yaml:4: an alias that contains itself",
    "billion-laughs.yaml": "expands without end",
    "duplicate-key.yaml": "yaml:3: 'metrics' is given twice",
    "key-that-is-no-text.yaml": "/metrics the key 1 is not text",
    "key-that-is-a-list.yaml": "yaml:2: not valid YAML: found unhashable key",
    "commit-read-as-a-number.yaml": "/git_commit must be text or null, not 1234567",
    "number-too-large.yaml": "yaml:2: the number 1e400 is too large",
    "binary-value.yaml": "a value of a kind that JSON has not (bytes)",
    "object-of-python.yaml": "yaml:2: not valid YAML: could not determine a constructor",
    "set.yaml": "a value of a kind that JSON has not (set)",
    "two-documents.yaml": "yaml:2: not valid YAML: but found another document",
    "tab.yaml": "yaml:2: not valid YAML",
    "nul-escaped.yaml": "yaml:1: a value holds a NUL character",
    "lone-surrogate.yaml": "yaml:1: a value holds half of a character",
    "nested-too-deep.yaml": "values are nested too deep",
    "date-that-is-none.yaml": "/started_at '2026-99-99T00:00:00Z' is no time of the form",
}


def refused(read, *args):
    """The error of a door; anything but our own would be a traceback."""
    with pytest.raises(ReprocheckError) as caught:
        read(*args)
    message = caught.value.message
    assert caught.value.usage
    assert len(message) < 600
    assert message.isprintable()
    return caught.value


def test_every_broken_record_is_tried():
    assert {path.name for path in ASSETS.iterdir()} == set(RECORDS)


@pytest.mark.parametrize("name", RECORDS)
def test_a_broken_record_is_one_clear_error(name):
    error = refused(read_record_file, ASSETS / name)
    assert isinstance(error, RecordFileError)
    assert RECORDS[name] in error.message
    assert name in error.message
    assert error.hint


@pytest.mark.parametrize("name", sorted(RECORDS.keys() - {"other-document.json"}))
def test_no_broken_record_gets_through_as_a_schema_a_config_or_a_definition(name):
    """These doors read other documents; what they must not do is let a defect pass or crash."""
    path, content = ASSETS / name, (ASSETS / name).read_bytes()
    refused(config.load, path)
    origin = Origin(kind=OriginKind.ARTIFACT, where="experiment.yaml")
    file = RecordedFile(path="experiment.yaml", content=content, origin=origin)
    found, (finding, *_) = read_definition([file])
    assert (found, finding.code) == (None, "broken-definition")
    assert finding.message.isprintable()


OTHERS = {
    "utf-16": (b"\xff\xfev\0e\0", "UTF-16"),
    "latin-1": (b"# caf\xe9\nversion: 1\n", "line 1"),
    "nul-byte": (b"version: 1\n\0", "line 2"),
    "cyclic-anchor": (b"a: &a {b: *a}\n", "alias"),
    "billion-laughs": ((ASSETS / "billion-laughs.yaml").read_bytes(), "without end"),
    "duplicate-key": (b"version: 1\nversion: 1\n", "twice"),
    "nested-too-deep": (b"version: 1\nx: " + b"[" * 3000, "nest"),
    "10-mb": (b"version: 1\nx: " + b"y" * 10_000_000, "over 1 MB"),
    "many-values": (b"version: 1\nx:\n" + b"- 1\n" * 200_000, "over 20,000 values"),
    "number-too-large": (b"version: 1\nx: 1e999\n", "too large"),
    "integer-without-end": (b"version: 1\nx: " + b"9" * 5000, "cannot be read"),
    "key-that-is-no-text": (b"version: 1\n1: x\n", "not text"),
    "lone-surrogate": (b'version: 1\nx: "\\ud800"\n', "half of a character"),
    "another-constructor": (b"version: 1\nx: !!python/name:os.system\n", "constructor"),
    "empty": (b"", "mapping"),
}


@pytest.mark.parametrize("defect", OTHERS)
def test_a_broken_yaml_of_ours_is_one_clear_error(tmp_path, defect):
    content, words = OTHERS[defect]
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    assert words in refused(config.load, path).message
    origin = Origin(kind=OriginKind.ARTIFACT, where="experiment.yaml")
    file = RecordedFile(path="experiment.yaml", content=content, origin=origin)
    found, (finding, *_) = read_definition([file])
    assert (found, finding.code) == (None, "broken-definition")
    assert words in finding.message
    if defect != "key-that-is-no-text":  # told by the schema of schemas, in other words
        assert words in refused(team, path).message


def team(path):
    return team_findings(make_record(), RecordRules(schema=path))


@pytest.mark.parametrize("read", [read_record_file, config.load, team])
@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_what_is_no_file_is_told_and_never_waited_for(tmp_path, read, suffix):
    folder, pipe = tmp_path / f"folder{suffix}", tmp_path / f"pipe{suffix}"
    folder.mkdir()
    os.mkfifo(pipe)
    endless = tmp_path / f"endless{suffix}"
    endless.symlink_to("/dev/zero")
    assert "directory" in refused(read, folder).message
    assert "no regular file" in refused(read, pipe).message
    assert "no regular file" in refused(read, endless).message
    assert "No such file" in refused(read, tmp_path / f"gone{suffix}").message


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ('{"run_id": "a", "notes": "', '"}'),
        ('{"run_id": "', '"}'),
        ('{"run_id": "a", "hyperparameters": {"', '": 1}}'),
        ('{"run_id": "a", "tags": [["', '"]]}'),
    ],
)
def test_a_text_of_10_mb_is_refused(tmp_path, start, end):
    path = tmp_path / "huge.json"
    path.write_text(f"{start}{'x' * 10_000_000}{end}")
    assert "is a text of 10,000,000 characters" in refused(read_record_file, path).message


def test_utf_8_with_a_mark_is_read(tmp_path):
    path = tmp_path / "record.json"
    path.write_bytes(b"\xef\xbb\xbf" + b'{"run_id": "a", "notes": ""}')
    assert read_record_file(path).ref.run_id == "a"
    config_file = tmp_path / "reprocheck.yaml"
    config_file.write_bytes(b"\xef\xbb\xbfversion: 1\n")
    assert config.load(config_file).path == config_file


def test_the_command_line_tells_it_and_exits_2(capsys):
    names = [str(ASSETS / name) for name in ("duplicate-key.json", "cyclic-anchor.yaml")]
    assert cli.run(["compare", *names]) == 2
    told = capsys.readouterr()
    assert "line 3: the key 'run_id' is given twice" in " ".join((told.out + told.err).split())
    assert "Traceback" not in told.out + told.err


def test_a_version_to_come_says_what_to_do():
    error = refused(read_record_file, ASSETS / "future-version.json")
    assert "pip install --upgrade reprocheck" in error.hint
