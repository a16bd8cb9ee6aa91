import dataclasses
import hashlib
import subprocess

import pytest

from reprocheck.model import (
    Argv,
    Command,
    EnvironmentKind,
    Origin,
    OriginKind,
    Patch,
    Setting,
    ShellLine,
    Step,
    UntrackedFile,
)
from reprocheck.reporters.by_hand import FOLDER, by_hand
from tests.reporters.builders import TAG, make_code, make_environment, make_record, make_report
from tests.reporters.checks import dvc_material
from tests.reporters.everything import hostile, minimal

SCRIPT = "print('trained')\n"


def part(report, title):
    return next(each for each in by_hand(report) if each.title == title)


def recorded(**changes):
    return make_report(record=make_record(**changes))


def bash(lines, folder, path=""):
    script = "\n".join(("set -e", *lines))
    env = {"PATH": path or "/usr/bin:/bin", "HOME": str(folder)}
    argv = ("/bin/bash", "-c", script)
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_the_code_and_its_patch_are_had_by_these_commands(repo, tmp_path):
    commit = repo.commit({"train.py": SCRIPT, "data/train.csv": "1,2\n"})
    repo.write({"train.py": SCRIPT.replace("trained", "patched")})
    patch = repo.git("diff") + "\n"
    digest = hashlib.sha256(patch.encode()).hexdigest()
    origin = Origin(kind=OriginKind.ARTIFACT, where="reprocheck/source.patch")
    code = make_code(
        commit=commit, repository=str(repo.path), patch=Patch(content=b"", sha256=digest, size=1)
    )
    csv = hashlib.md5(b"1,2\n").hexdigest()
    material = dataclasses.replace(dvc_material(), origin=TAG, digest=csv)
    report = recorded(code=code, origins={"/code/patch": origin}, data=(material,))
    # What mlflow would download lies there already.
    [fetched] = [x for x in part(report, "The code").lines if x.startswith("mlflow ")]
    assert fetched.endswith("=reprocheck/source.patch --dst-path=../recorded/reprocheck")
    (tmp_path / "recorded/reprocheck").mkdir(parents=True)
    (tmp_path / "recorded/reprocheck/source.patch").write_text(patch)
    lines = [
        line
        for each in by_hand(report)
        if each.title in ("The code", "The data")
        for line in each.lines
        if not line.startswith("mlflow ")
    ]
    done = bash([*lines, "python3 train.py"], tmp_path)
    assert (done.returncode, done.stderr.count("error")) == (0, 0), done.stderr
    assert done.stdout.splitlines()[-3:] == [
        "../recorded/reprocheck/source.patch: OK",
        "data/train.csv: OK",
        "patched",
    ]
    assert (tmp_path / FOLDER / "train.py").exists()


def test_hostile_text_runs_nothing_and_is_no_option(tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("git", "mlflow", "uv", "jq", "dvc", "md5sum", "python", "cp", "mkdir", "sh"):
        (programs / name).symlink_to("/bin/true")
    parts = by_hand(hostile())
    for each in parts:
        done = bash(
            [line for line in each.lines if not line.startswith(("cd ", ". "))],
            tmp_path,
            str(programs),
        )
        assert "syntax error" not in done.stderr
    assert not list(tmp_path.rglob("hacked"))
    clone, *_ = part(hostile(), "The code").lines
    assert clone == f"git clone --no-checkout -- . {FOLDER}"
    assert "--upload-pack=touch hacked" in " ".join(part(hostile(), "The code").notes)
    assert all(line.isprintable() for each in parts for line in each.lines)


def test_addresses_that_start_programs_are_named_and_not_used():
    for address in ("ext::sh -c whoami", "https://u:p@host/x y", "-x", "file:///etc"):
        report = recorded(code=make_code(repository=address))
        assert part(report, "The code").lines[0].endswith(f" -- . {FOLDER}")


def test_variables_and_steps_are_quoted_for_a_shell():
    steps = (
        Step(run=Argv(args=("python", "train.py", "--name", "a b"))),
        Step(run=ShellLine(line="cat x | sort"), cwd="sub dir"),
    )
    command = Command(steps=steps, env={"TEXT": "it's", "API_KEY": "***", "a b": "1"})
    report = dataclasses.replace(
        recorded(command=command),
        settings=(Setting(name="OMP_NUM_THREADS", value="1", origin=TAG),),
    )
    assert part(report, "The training").lines == (
        "python train.py --name 'a b'",
        "(cd 'sub dir' && sh -c 'cat x | sort')",
    )
    variables = part(report, "The variables")
    assert variables.lines[:2] == ("export OMP_NUM_THREADS=1", "export TEXT='it'\"'\"'s'")
    assert "API_KEY, a b" in variables.notes[0]


def test_what_the_report_does_not_hold_is_said():
    report = recorded(code=make_code(commit="", repository=None), command=None, data=())
    told = " ".join(note for each in by_hand(report) for note in each.notes)
    assert "names no repository" in told
    assert "names no commit" in told
    assert "records no command" in told
    assert "no data by a digest" in told


def test_data_of_dvc_is_pulled_and_every_file_is_proved():
    lines = part(recorded(data=(dvc_material(),)), "The data").lines
    assert lines[0] == "dvc pull -- data/train.csv"
    assert lines[1].endswith("  data/train.csv' | md5sum --check -")


def test_a_container_runs_the_command_in_its_image():
    spec = dataclasses.replace(
        make_record().environment, kind=EnvironmentKind.DOCKER, file="Dockerfile", directory="."
    )
    report = dataclasses.replace(
        recorded(environment=spec), environment=make_environment(kind=EnvironmentKind.DOCKER)
    )
    assert part(report, "The environment").lines == (
        f"docker build --tag {FOLDER} --file=Dockerfile .",
    )
    [line] = part(report, "The training").lines
    assert line.startswith("docker run --rm --network=none ")
    assert line.endswith(f" {FOLDER} python train.py --lr 0.1")


def test_of_a_sensitive_run_nothing_is_told():
    assert by_hand(minimal()) == ()


@pytest.mark.parametrize(
    "path", ["/root/.bashrc", "../../.bashrc", "a/../../x", ".git/hooks/post-checkout", "s/.GIT/x"]
)
def test_no_command_names_a_path_outside_of_the_code_or_in_gits_folder(path):
    code = make_code(
        untracked=(
            UntrackedFile(path=path, sha256=None, artifact="a"),
            UntrackedFile(path="b", sha256=None, artifact=path),
        ),
        patch=Patch(content=b"", sha256="a" * 64, size=1),
    )
    fetched = dvc_material(path=path, source="https://example.org/x", origin=TAG)
    report = recorded(
        code=code,
        data=(dvc_material(path=path), fetched),
        command=Command(steps=(Step(run=Argv(args=("python", "train.py")), cwd=path),), env={}),
        origins={"/code/patch": Origin(kind=OriginKind.ARTIFACT, where=path)},
    )
    assert not [line for each in by_hand(report) for line in each.lines if path in line]


def test_no_variable_is_set_by_which_the_readers_own_shell_begins_programs():
    names = ("PATH", "LD_PRELOAD", "BASH_ENV", "PROMPT_COMMAND", "GIT_SSH_COMMAND", "DOCKER_HOST")
    env = {**dict.fromkeys(names, "/evil"), "PYTHONPATH": "src", "LDA_TOPICS": "5"}
    steps = (Step(run=Argv(args=("python", "train.py"))),)
    found = part(recorded(command=Command(steps=steps, env=env)), "The variables")
    told = [line for line in found.lines if "MLFLOW" not in line]
    assert told == ["export PYTHONPATH=src", "export LDA_TOPICS=5"]
    assert all(name in found.notes[0] for name in names)
