"""docker_places, docker_contents: Dockerfiles as people write them, with the trial's own code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reprocheck.environments.docker_contents import Contents, Place, may_enter
from reprocheck.environments.docker_places import Cover, covers, put_made
from reprocheck.environments.dockerfile import reads_git
from tests.conftest import Repo, need
from tests.environments.images import base_image, base_version
from tests.environments.samples import command, docker_spec

COPIED = ("WORKDIR /app", "COPY . /app")
SAY = ("python", "-c", "import model; print(model.WHO)")


@pytest.fixture
def tree(tmp_path) -> Path:
    folder = tmp_path / "tree"
    (folder / "src/pkg").mkdir(parents=True)
    for name in ("model.py", "src/pkg/__init__.py"):
        (folder / name).write_text("WHO = 'image'\n")
    return folder


@pytest.fixture
def made(build, tree):
    """Builds, then changes the tree: what the trial says tells whose code it ran."""

    def make(*lines: str):
        sandbox = build(docker_spec(*lines, base=base_image()))
        for name in ("model.py", "src/pkg/__init__.py"):
            (tree / name).write_text("WHO = 'trial'\n")
        return sandbox

    return make


def codes(sandbox) -> list[str]:
    return [item.code for item in sandbox.findings]


# --- whose code ---------------------------------------------------------------------------


def test_a_path_to_the_images_copy_leads_to_the_trials_tree(made, trial):
    sandbox = made(*COPIED, "ENV PYTHONPATH=/app:/app/src")
    paths = ("python", "-c", "import model, pkg; print(model.WHO, pkg.WHO, pkg.__file__)")
    done = sandbox.run(trial(command(paths, "cd /app && echo new >made && cat model.py")))
    assert done.stdout.decode().startswith("trial trial /app/src/pkg/__init__.py\nWHO = 'trial'")
    assert sandbox.findings == ()


def test_the_images_copy_is_covered_even_where_the_image_starts_elsewhere(made, trial):
    sandbox = made("COPY . /code", "ENV PYTHONPATH=/code/src")
    asked = trial(command(("python", "-c", "import pkg; print(pkg.WHO)")))
    assert sandbox.run(asked).stdout == b"trial\n"


def test_an_editable_install_imports_the_trials_code(made, trial):
    site = "$(python3 -c 'import site; print(site.getsitepackages()[0])')"
    sandbox = made(*COPIED, f"RUN echo /app/src >{site}/__editable__.pkg.pth")
    asked = trial(command(("python", "-c", "import pkg; print(pkg.WHO)")))
    assert sandbox.run(asked).stdout == b"trial\n"


def test_an_environment_inside_the_copy_is_kept_and_the_code_around_it_is_the_trials(made, trial):
    venv = "RUN python3 -m venv --without-pip /app/.venv && touch /app/.venv/mine"
    sandbox = made(*COPIED, venv, 'ENV PATH="/app/.venv/bin:$PATH"', "ENV PYTHONPATH=/app/src")
    what = "import sys, pkg; print(sys.prefix, pkg.WHO)"
    asked = trial(command(("python", "-c", what), "ls /app/.venv/mine && touch out"))
    assert sandbox.run(asked).stdout == b"/app/.venv trial\n/app/.venv/mine\n"
    assert (asked.tree / "out").exists()
    assert sandbox.built.python.startswith(base_version())


def test_what_the_build_made_beside_the_code_is_there_and_told(made, trial, tree):
    sandbox = made(*COPIED, "RUN mkdir -p /app/out && echo compiled >/app/src/pkg/_fast.so")
    done = sandbox.run(trial(command("cat src/pkg/_fast.so /app/src/pkg/_fast.so && touch out/x")))
    assert done.stdout == b"compiled\ncompiled\n"
    (finding,) = sandbox.findings
    assert finding.code == "made-by-image"
    assert "out/, src/pkg/_fast.so" in finding.message.replace("out,", "out/,")


def test_a_folder_that_the_code_is_usually_mounted_at_gets_the_tree(made, trial):
    sandbox = made("WORKDIR /workspace")
    assert sandbox.run(trial(command("cat /workspace/model.py"))).stdout == b"WHO = 'trial'\n"


def test_a_copy_of_which_only_a_list_was_copied_gets_the_tree(made, trial, tree):
    (tree / "requirements.txt").write_text("")
    sandbox = made("WORKDIR /app", "COPY requirements.txt .")
    assert sandbox.run(trial(command("cat /app/model.py"))).stdout == b"WHO = 'trial'\n"


def test_a_copy_that_the_image_starts_below_gets_the_tree(made, trial):
    sandbox = made(*COPIED, "WORKDIR /app/src")
    assert sandbox.run(trial(command("cat /app/model.py"))).stdout == b"WHO = 'trial'\n"


def test_a_folder_of_something_else_stays_the_images(made, trial):
    sandbox = made("WORKDIR /data", "RUN echo weights >/data/weights.bin")
    assert sandbox.run(trial(command("cat /data/weights.bin"))).stdout == b"weights\n"


def test_links_lead_nowhere_else(tmp_path):
    tree, made, outside = tmp_path / "tree", tmp_path / "made/0", tmp_path / "outside"
    for folder in (tree, made / "sub", outside):
        folder.mkdir(parents=True)
    (tree / "sub").symlink_to(outside)
    (made / "sub/x").write_text("x")
    (made / "passwd").symlink_to("/etc/passwd")
    put_made((Cover(path="/app", mounts=(".",), made=("sub/x", "passwd")),), made.parent, tree)
    assert list(outside.iterdir()) == []
    assert (tree / "passwd").is_symlink()


def test_a_link_of_the_tree_is_not_mounted(tmp_path):
    (tmp_path / "a.py").write_text("")
    (tmp_path / "secret").symlink_to("/etc/shadow")
    place = Place(path="/app", files=(("a.py", 0), (".venv/", -1)), workdir=True)
    (cover,) = covers(Contents(places=(place,)), tmp_path)
    assert cover.mounts == ("a.py",)


# --- entry points ---------------------------------------------------------------------------

SCRIPT = '#!/bin/sh\\nexport FROM_ENTRY=yes\\nexec "$@"\\n'


def test_an_entry_point_that_activates_something_is_kept(made, trial):
    sandbox = made(
        f"RUN printf '{SCRIPT}' >/enter.sh && chmod +x /enter.sh", 'ENTRYPOINT ["/enter.sh"]'
    )
    assert sandbox.run(trial(command("echo $FROM_ENTRY"))).stdout == b"yes\n"
    assert sandbox.findings == ()


def test_an_entry_point_beside_the_code_may_be_named_relative_to_it(made, trial, tree):
    (tree / "env.sh").write_text("FROM_ENTRY=yes\n")
    (tree / "enter.sh").write_text('#!/bin/sh\nset -ae\n. ./env.sh\nexec "$@"\n')
    (tree / "enter.sh").chmod(0o755)
    sandbox = made(*COPIED, 'ENTRYPOINT ["./enter.sh"]')
    assert sandbox.run(trial(command("echo $FROM_ENTRY"))).stdout == b"yes\n"
    assert sandbox.findings == ()


def test_an_entry_point_that_puts_python_on_the_path_is_asked_through(made, trial):
    move = "RUN mkdir -p /opt/env/bin && cp -P $(command -v python3)* /opt/env/bin"
    line = 'ENTRYPOINT ["/bin/sh", "-c", "export PATH=/opt/env/bin:$PATH; exec \\"$@\\"", "--"]'
    sandbox = made(move, line)
    assert sandbox.run(trial(command("command -v python3"))).stdout == b"/opt/env/bin/python3\n"
    assert codes(sandbox) == []


@pytest.mark.parametrize("entry", ['["python"]', '["echo"]', '["/absent"]'])
def test_an_entry_point_that_runs_something_else_is_left_out_and_told(made, trial, entry):
    sandbox = made(*COPIED, f"ENTRYPOINT {entry}")
    assert codes(sandbox) == ["entrypoint-skipped"]
    assert sandbox.run(trial(command(SAY))).stdout == b"trial\n"


@pytest.mark.parametrize(
    ("entry", "may"),
    [
        ((), False),
        (("python3.11", "train.py"), False),
        (("/app/train.py",), False),
        (("/bin/sh", "-c", "python train.py"), False),
        (("/bin/bash", "-c", 'source env.sh && exec "$@"', "--"), True),
        (("conda", "run", "-n", "ml"), True),
        (("tini", "--"), True),
    ],
)
def test_only_what_may_run_its_arguments_is_tried(entry, may):
    assert may_enter(entry) is may


# --- who may read the image -----------------------------------------------------------------


def test_a_python_in_roots_home_is_used_by_who_is_not_root(made, trial):
    lines = (
        "RUN mkdir -p /root && chmod 700 /root",
        "RUN python3 -m venv --copies --without-pip /root/env",
        "ENV PATH=/root/env/bin:$PATH",
    )
    sandbox = made(*lines)
    asked = trial(command(("python3", "-c", "import os, sys; print(sys.prefix, os.getuid() != 0)")))
    assert sandbox.run(asked).stdout == b"/root/env True\n"


# --- git inside -----------------------------------------------------------------------------


def test_git_works_inside_and_at_the_images_own_place(made, trial, tmp_path, tree):
    origin = Repo(tmp_path / "origin")
    commit = origin.commit({"model.py": "WHO = 'x'\n"})
    sandbox = made(*COPIED)
    clone = tmp_path / "clone"
    origin.git("clone", "--quiet", "--shared", str(origin.path), str(clone))
    line = "git rev-parse HEAD && git status --short && cd /app && git log --format=%s && id -u"
    done = sandbox.run(trial(command(line), tree=clone))
    assert done.stdout.decode().split()[:2] == [commit, "Change"], done.stdout
    assert (done.exit_code, done.stdout.split()[-1] != b"0") == (0, True)
    assert (clone / ".git/HEAD").stat().st_uid == os.getuid()


# --- a build that reads the history -----------------------------------------------------------


@pytest.fixture
def history(tree) -> Repo:
    repo = Repo(tree)
    repo.commit({"model.py": "WHO = 'x'\n"})
    repo.git("tag", "v1.5")
    return repo


@pytest.mark.parametrize("legacy", [False, True])
def test_a_build_gets_the_history_that_it_reads(build, trial, history, legacy, tmp_path):
    line = "RUN git describe --tags --always >/said && git rev-parse HEAD >>/said"
    env = {**os.environ, "PATH": str(tmp_path)} if legacy else dict(os.environ)
    env["PATH"] += os.pathsep + str(Path(need("git")).parent) if legacy else ""
    sandbox = build(docker_spec("WORKDIR /app", "COPY . .", line, base=base_image()), env=env)
    said = sandbox.run(trial(command("cat /said"))).stdout.decode().split()
    assert said == ["v1.5", history.git("rev-parse", "HEAD")]


def test_the_key_of_a_history_is_its_commit_and_tags(build, history):
    asked = docker_spec("COPY .git /git", base=base_image())
    first = build(asked).built.digest
    history.git("gc", "--quiet")
    assert build(asked).built.digest == first
    history.git("tag", "v2")
    assert build(asked).built.digest != first


def test_a_history_that_is_ignored_or_not_read_stays_out(build, trial, history):
    (history.path / ".dockerignore").write_text(".git\n")
    line = "RUN git log || true"
    for lines in (("COPY . /a", line), ("COPY . /a",)):
        sandbox = build(docker_spec(*lines, base=base_image()))
        assert sandbox.run(trial(command("test -e /a/.git"))).exit_code == 1
        (history.path / ".dockerignore").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("text", "project", "reads"),
    [
        ("COPY . .\nRUN pip install .", "requires = ['setuptools_scm']", True),
        ("COPY . .\nRUN pip install .", "requires = ['setuptools']", False),
        ("COPY . .\nRUN git -C /app describe", "", True),
        ("COPY . .\nRUN git clone https://example.org/x", "", False),
        ("COPY src src\nRUN git log", "", False),
        ("COPY ./.git/HEAD /x", "", True),
    ],
)
def test_what_reads_the_history(text, project, reads):
    assert reads_git(text, project) is reads
