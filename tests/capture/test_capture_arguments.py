"""The command and its seeds; secrets in them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from reprocheck_capture import arguments, hiding

CAPTURE = Path(__file__).parents[2] / "capture"


@pytest.mark.parametrize(
    ("given", "typed"),
    [
        (
            ["/opt/env/bin/python3.8", "train.py", "--lr", "0.1"],
            ["python", "train.py", "--lr", "0.1"],
        ),
        (["python", "-u", "-X", "dev", "train.py"], ["python", "-u", "-X", "dev", "train.py"]),
        (["python3", "-m", "pkg.train"], ["python", "-m", "pkg.train"]),
        (["python", "/elsewhere/train.py"], ["python", "/elsewhere/train.py"]),
        (["python", "{repo}/train.py"], ["python", "train.py"]),
        (["python", "{bin}/torchrun", "train.py"], ["torchrun", "train.py"]),
        (["mpi-thing", "x"], ["mpi-thing", "x"]),
    ],
)
def test_the_command_can_be_typed_on_another_machine(in_repo, monkeypatch, given, typed):
    names = {"{repo}": str(in_repo.path), "{bin}": str(Path(sys.executable).parent)}
    for name, path in names.items():
        given = [word.replace(name, path) for word in given]
    monkeypatch.setattr(sys, "orig_argv", given)
    assert arguments.argv(str(in_repo.path)) == typed


def test_without_orig_argv_the_kernel_tells_the_interpreters_options(monkeypatch):
    told = sys.orig_argv
    monkeypatch.delattr(sys, "orig_argv")
    assert arguments.original()[1:] == told[1:]


def test_a_worker_tells_the_command_of_its_launcher(tmp_path):
    worker = "from reprocheck_capture import arguments; print(arguments.argv())"
    (tmp_path / "worker.py").write_text(worker)
    torchrun = "import subprocess, sys; subprocess.run([sys.executable, 'worker.py'], check=True)"
    (tmp_path / "torchrun").write_text(torchrun)
    argv = [sys.executable, "torchrun", "--nproc_per_node=2", "worker.py"]
    told = [
        subprocess.run(
            argv,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(CAPTURE), **env},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout.strip()
        for env in ({}, {"WORLD_SIZE": "2"})
    ]
    assert told == [str(["python", "worker.py"]), str(["python", *argv[1:]])]


@pytest.mark.parametrize(
    ("given", "masked"),
    [
        (["--token", "abc", "x"], ["--token", "***", "x"]),
        (["--hf-token=abc"], ["--hf-token=***"]),
        (["db.password=abc"], ["db.password=***"]),
        (["--url", "https://me:pw@host/x?sig=abc"], ["--url", "https://***@host/x?sig=***"]),
        (["--key", "AKIA" + "A" * 16], ["--key", "***"]),
        (["--pad_token=<pad>", "--tokens", "5"], ["--pad_token=<pad>", "--tokens", "5"]),
        (["--secret", "--next"], ["--secret", "--next"]),
        (["login(token='abc')"], ["login(token='***')"]),
    ],
)
def test_secrets_are_masked(given, masked):
    assert hiding.masked_arguments(given) == masked


@pytest.mark.parametrize(
    "name",
    [
        *("token", "hf_token", "API_KEY", "apiKey", "db.password", "pad_token", "max_tokens"),
        *("key", "sort_key", "secret", "AWS_SECRET_ACCESS_KEY", "num-tokens", "learning_rate"),
    ],
)
def test_a_name_is_secret_to_both_packages_or_to_none(name):
    from reprocheck.hostile import is_secret

    assert hiding.is_secret(name) == is_secret(name)


@pytest.mark.parametrize(
    ("path", "secret"),
    [(".env", True), ("a/id_rsa", True), ("conf/credentials.json", True), ("a/env.py", False)],
)
def test_files_that_hold_secrets_are_known_by_their_names(path, secret):
    assert hiding.is_secret_file(path) is secret


def test_seeds_are_found_in_all_their_spellings():
    given = ["train.py", "--seed", "7", "--random-state=3", "train.seed=1", "+data_seed=2"]
    given += ["--seed-file", "5", "--reseed", "9", "--init_seed", "--lr", "1", "--model-seed=x"]
    assert arguments.seeds(given) == {
        "seed": "7",
        "random_state": "3",
        "train.seed": "1",
        "data_seed": "2",
    }


SPAWNS = """
import multiprocessing
from reprocheck_capture import arguments
def work():
    print(arguments.argv())
if __name__ == "__main__":
    for kind in ("spawn", "forkserver"):
        worker = multiprocessing.get_context(kind).Process(target=work)
        worker.start()
        worker.join()
"""


def test_a_worker_of_multiprocessing_tells_the_command_that_spawned_it(tmp_path):
    (tmp_path / "train.py").write_text(SPAWNS)
    argv = [sys.executable, "train.py", "--lr", "0.1"]
    env = {**os.environ, "PYTHONPATH": str(CAPTURE)}
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(["python", *argv[1:]])] * 2


def test_a_worker_whose_parent_cannot_be_seen_has_its_arguments(monkeypatch):
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "joblib.externals.loky.backend.popen"])
    monkeypatch.setattr(arguments, "words_of", lambda _process: [])
    assert arguments.original() == ["python", *sys.argv]
