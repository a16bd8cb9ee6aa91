import hashlib
import itertools
import shlex
from pathlib import Path

import pytest

from reprocheck.config import Config
from reprocheck.data_rules import DataRule
from reprocheck.dvc_files import directory_digest
from reprocheck.recording import data
from tests.recording.conftest import codes

ROWS = "x,y\n1,2\n"


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def pointer(path, digest, size=None):
    told = f"  size: {size}\n" if size is not None else ""
    return f"outs:\n- md5: {digest}\n  hash: md5\n{told}  path: {path}\n"


@pytest.fixture
def tracked(repo):
    """A file and a folder that DVC tracks."""
    parts = {"a.csv": ROWS, "b/c.csv": "1\n"}
    folder = directory_digest({name: md5(text) for name, text in parts.items()})
    repo.commit(
        {
            "train.py": "",
            "data/x.csv.dvc": pointer("x.csv", md5(ROWS), len(ROWS)),
            "parts.dvc": pointer("parts", folder),
            ".gitignore": "data/x.csv\nparts\n",
        }
    )
    repo.write({"data/x.csv": ROWS, **{f"parts/{name}": text for name, text in parts.items()}})
    return repo


def test_data_that_is_as_dvc_says_is_hashed(tracked, situate):
    assert data.check(situate("python", "train.py", "--data", "data/x.csv", "parts/a.csv")) == ()


@pytest.mark.parametrize("name", ["data/x.csv", "parts/b/c.csv", "parts/more.csv"])
def test_data_that_was_changed_is_told_with_dvcs_command(tracked, situate, name):
    tracked.write({name: ROWS.replace("2", "3")})  # of the same size
    (lack,) = data.check(situate())
    assert lack.finding.code == "changed-data"
    path = name if name == "data/x.csv" else "parts"
    assert shlex.split(lack.finding.fix)[:5] == ["dvc", "commit", "-f", "--", path]


def test_links_into_dvcs_cache_are_read_through(tracked, situate, tmp_path):
    for name in ("data/x.csv", "parts/a.csv"):
        (tmp_path / "cached").write_text(ROWS)
        (tracked.path / name).unlink()
        (tracked.path / name).symlink_to(tmp_path / "cached")
    assert data.check(situate()) == ()


def test_what_is_not_here_was_not_read(tracked, situate):
    (tracked.path / "data/x.csv").unlink()
    assert data.check(situate()) == ()


def test_a_folder_of_which_dvc_ignores_a_part_is_not_called_changed(tracked, situate):
    tracked.commit({".dvcignore": "*.tmp\n"})
    tracked.write({"parts/x.tmp": ""})
    (lack,) = data.check(situate())
    assert (lack.finding.code, lack.unknown) == ("unread-data", True)


def test_what_is_too_much_to_read_is_told(tracked, situate, monkeypatch):
    monkeypatch.setattr(data, "_BUDGET", 5)
    (lack,) = data.check(situate())
    assert (lack.finding.code, lack.unknown) == ("unread-data", True)


def test_digests_of_the_config_are_compared(repo, situate):
    repo.commit({"train.py": "", ".gitignore": "*.csv"})
    repo.write({"x.csv": ROWS})
    digest = hashlib.sha256(ROWS.encode()).hexdigest()
    for given, found in ((digest, []), ("0" * 64, ["changed-data"]), ("{tags.data}", [])):
        config = Config(data=(DataRule(path="x.csv", digest=given),))
        command = ("python", "train.py", "--data=x.csv")
        assert codes(data.check(situate(*command, config=config))) == found


def test_data_in_arguments_configs_and_code_without_a_digest_is_told(repo, situate, tmp_path):
    code = "import pandas\npandas.read_csv('code.csv')\nopen('made.csv', 'w')\nopen('new.csv')\n"
    repo.commit(
        {
            "train.py": code,
            "conf.yaml": "data: {train: conf.csv}\noutput: out.csv\n",
            "kept.csv": ROWS,
            ".gitignore": "*.csv",
        }
    )
    repo.git("add", "-f", "kept.csv")
    (tmp_path / "far.csv").write_text(ROWS)
    for name in ("code.csv", "made.csv", "conf.csv", "out.csv", "arg.csv"):
        repo.write({name: ROWS})
    args = ("--train", "arg.csv", "--test", "kept.csv", "--out", "out.csv", "--config", "conf.yaml")
    (lack,) = data.check(situate("python", "train.py", *args, "--far", str(tmp_path / "far.csv")))
    assert lack.finding.code == "unhashed-data"
    named = lack.finding.message.partition(": ")[2].split(", ")
    assert sorted(Path(each.split()[0]).name for each in named) == [
        *("arg.csv", "code.csv", "conf.csv", "far.csv")
    ]
    assert "conf.csv (conf.yaml: data.train)" in lack.finding.message
    assert lack.finding.fix == "dvc add -- arg.csv conf.csv code.csv && dvc push"


def test_addresses_without_a_digest_are_told(repo, situate):
    repo.commit({"train.py": ""})
    command = ("python", "train.py", "--data", "s3://bucket/x.csv", "--tracking-uri", "http://a/b")
    (lack,) = data.check(situate(*command))
    assert lack.finding.message.endswith("1 input: s3://bucket/x.csv (--data)")
    config = Config(data=(DataRule(path="x.csv", url="s3://bucket/x.csv", digest="0" * 64),))
    assert data.check(situate(*command, config=config)) == ()


def test_code_that_records_its_data_itself_is_believed(repo, situate):
    line = "from reprocheck_capture import log_provenance\nlog_provenance(datasets=['a.csv'])\n"
    repo.commit({"train.py": line + "open('a.csv')\n", ".gitignore": "*.csv"})
    repo.write({"a.csv": ROWS})
    assert data.check(situate()) == ()


def test_folders_of_data_count_and_places_of_results_do_not(repo, situate):
    repo.commit({"train.py": "", ".gitignore": "images\nruns"})
    repo.write({"images/1.png": b"1", "runs/1.pt": b"1"})
    command = ("python", "train.py", "--images", "./images", "--save-dir", "./runs")
    (lack,) = data.check(situate(*command))
    assert "./images (--images)" in lack.finding.message
    assert "runs" not in lack.finding.message


def test_odd_files_end_nothing(repo, situate):
    bomb = "a: &a [x.csv, x.csv]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
        for before, name in itertools.pairwise("abcdefghijk")
    )
    odd = pointer("/dev/zero", "0" * 32) + "  nfiles: many\n"
    repo.commit({"train.py": "", "bomb.yaml": bomb, "zero.dvc": odd, "list.dvc": "[]"})
    (lack,) = data.check(situate("python", "train.py", "--config", "bomb.yaml"))
    assert (lack.finding.code, lack.unknown) == ("unread-data", True)
