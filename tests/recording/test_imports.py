import shlex

from reprocheck.recording import imports
from tests.recording.conftest import codes

TRAIN = "import json, pkg.model\nfrom lib import a\nimport numpy\n"
FILES = {
    "train.py": TRAIN,
    "lib.py": "a = 1\n",
    "pkg/__init__.py": "",
    "pkg/model.py": "from . import layers\nfrom .deep.nets import net\n",
    "pkg/layers.py": "import importlib\nimportlib.import_module('plugin')\n",
    "pkg/deep/nets.py": "net = 1\n",
    "plugin.py": "",
}


def test_modules_that_git_knows_are_in_the_record(repo, situate):
    repo.commit(FILES)
    situation = situate()
    assert imports.check(situation) == ()
    names = {source.path.relative_to(repo.path).as_posix() for source in situation.sources}
    assert names == set(FILES)


def test_modules_that_git_does_not_know_are_told_with_who_imports_them(repo, situate):
    unknown = ("lib.py", "pkg/deep/nets.py", "plugin.py")
    repo.commit({name: text for name, text in FILES.items() if name not in unknown})
    repo.write({name: FILES[name] for name in unknown})
    (lack,) = imports.check(situate(kept=frozenset(unknown)))
    assert lack.finding.code == "untracked-import"
    assert "pkg/deep/nets.py (imported by pkg/model.py)" in lack.finding.message
    assert "--allow-patch" in lack.finding.hint
    assert imports.check(situate(kept=frozenset(unknown), allow_patch=True)) == ()
    repo.git(*shlex.split(lack.finding.fix.partition(" && ")[0])[1:])
    assert imports.check(situate()) == ()


def test_an_ignored_module_is_not_stored_with_a_patch(repo, situate):
    repo.commit({"train.py": "import lib", ".gitignore": "lib.py\n"})
    repo.write({"lib.py": ""})
    (lack,) = imports.check(situate(allow_patch=True))
    assert lack.finding.fix.startswith("git add -f -- lib.py")


def test_modules_outside_of_the_repository_are_told(repo, situate, tmp_path):
    repo.commit({"src/train.py": "import sys\nsys.path.append('../../shared')\nimport common\n"})
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/common.py").touch()
    assert codes(imports.check(situate("python", "src/train.py"))) == ["outside-import"]


def test_what_the_projects_own_build_makes_is_made_again(repo, situate):
    repo.commit({"train.py": "import fast\nfrom pkg import _version\n", "pkg/__init__.py": ""})
    repo.write({"fast.cpython-311.so": b"\x7fELF", "pkg/_version.py": "v = 1\n"})
    assert imports.check(situate(freeze=("-e .",))) == ()
    (lack,) = imports.check(situate())
    assert "fast.cpython-311.so" in lack.finding.message


def test_notebooks_modules_and_scripts_of_a_shell_are_read(repo, situate):
    cell = {"cell_type": "code", "source": ["%matplotlib inline\n", "import lib\n"]}
    notebook = f'{{"cells": [{cell}]}}'.replace("'", '"')
    repo.commit({"train.py": "import lib", "go.sh": "python train.py\n", "a.ipynb": notebook})
    repo.write({"lib.py": ""})
    commands = (
        ("papermill", "a.ipynb", "out.ipynb"),
        ("bash", "go.sh"),
        ("sh", "-c", "python train.py --lr 1"),
        ("python", "-m", "train"),
        ("torchrun", "--nproc-per-node=2", "train.py"),
    )
    for command in commands:
        assert codes(imports.check(situate(*command))) == ["untracked-import"], command


def test_no_script_in_sight_is_not_called_good(repo, situate):
    repo.commit()
    (lack,) = imports.check(situate("docker", "run", "image"))
    assert (lack.finding.code, lack.unknown) == ("unread-code", True)


def test_code_that_cannot_be_read_ends_nothing(repo, situate):
    bad = {"a.ipynb": "[]", "b.ipynb": '{"cells": [1]}', "c.ipynb": "{", "d.py": b"\xff\0"}
    repo.commit({"train.py": "import lib\n", "lib.py": "print 'old'\n" + "(" * 3000, **bad})
    assert imports.check(situate("python", "train.py", *bad)) == ()
