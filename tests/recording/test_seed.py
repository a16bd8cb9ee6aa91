import pytest

from reprocheck.config import Config
from reprocheck.recording import seed
from tests.recording.conftest import codes


@pytest.mark.parametrize(
    "code",
    [
        "import random\nrandom.seed(0)",
        "import torch\nSEED = 3\ntorch.manual_seed(SEED)",
        "rng = np.random.default_rng(seed=7)",
        "split(x, random_state=42)",
        "parser.add_argument('--seed', type=int, default=7)",
        "@click.option('--random-seed', default=7)\ndef main(random_seed): ...",
        "def main(lr=1, seed: int = 7): ...",
        "class Config:\n    seed: int = 42",
        "def main(*, seed=3): ...",
    ],
)
def test_code_that_sets_a_seed_itself_is_seeded(repo, situate, code):
    repo.commit({"train.py": code + "\n"})
    assert seed.check(situate()) == ()


@pytest.mark.parametrize(
    "code",
    [
        "import random\nrandom.seed()",
        "rng = np.random.default_rng()",
        "random.seed(args.seed)",
        "split(x, random_state=None)",
        "import random\nrandom.seed(time.time())",
        "def main(seed=None): ...",
        "seed_all = True",
    ],
)
def test_a_seed_that_nobody_knows_is_none(repo, situate, code):
    repo.commit({"train.py": code + "\n"})
    (lack,) = seed.check(situate())
    assert (lack.finding.code, lack.unknown) == ("no-seed", False)


def test_the_mend_names_the_option_that_the_code_has(repo, situate):
    repo.commit({"train.py": "parser.add_argument('--rand-seed')\nparser.add_argument('--seed')\n"})
    (lack,) = seed.check(situate("python", "train.py", "--lr", "1"))
    assert lack.finding.fix == "reprocheck record -- python train.py --lr 1 --rand-seed 7"
    repo.commit({"train.py": "import torch\n"})
    assert seed.check(situate())[0].finding.fix.endswith("torch.manual_seed(7)")


def test_seeds_of_arguments_and_named_variables_count(repo, situate):
    repo.commit({"train.py": ""})
    assert seed.check(situate(seeds={"seed": "7"})) == ()
    env = {"PYTHONHASHSEED": "0", "TRAIN_SEED": "7"}
    assert codes(seed.check(situate(env=env))) == ["no-seed"]  # no record holds TRAIN_SEED
    assert seed.check(situate(env=env, config=Config(seed_env="TRAIN_SEED"))) == ()


def test_config_files_count_where_git_knows_them(repo, situate):
    hydra = "import hydra\n@hydra.main(config_path='conf', config_name='main')\ndef f(c): ...\n"
    repo.commit({"train.py": hydra, "other.py": ""})
    repo.write({"conf/model/big.yaml": "training: {seed: 7}\n"})
    assert codes(seed.check(situate())) == ["no-seed"]
    repo.commit()
    assert seed.check(situate()) == ()
    repo.commit({"a.toml": "random_seed = 1\n", "b.json": '{"seed": "x"}', "bad.yaml": "a: ["})
    assert seed.check(situate("python", "other.py", "--config", "a.toml")) == ()
    assert codes(seed.check(situate("python", "other.py", "b.json", "bad.yaml"))) == ["no-seed"]


def test_no_code_in_sight_is_not_known(repo, situate):
    repo.commit()
    (lack,) = seed.check(situate("docker", "run", "image"))
    assert (lack.finding.code, lack.unknown) == ("unknown-seed", True)


def test_seeds_in_lines_of_a_shell_and_of_dvcs_stages_count(repo, situate):
    line = "python train.py --seed 7"
    repo.commit({"train.py": "", "go.sh": line, "dvc.yaml": f"stages:\n  a:\n    cmd: {line}\n"})
    for command in (("bash", "go.sh"), ("dvc", "repro"), ("sh", "-c", line)):
        assert seed.check(situate(*command)) == (), command
    assert codes(seed.check(situate("sh", "-c", "python train.py --seed"))) == ["no-seed"]
