import time

import pytest

from reprocheck import hostile
from reprocheck.model import Argv, Command, Difference, Step
from tests.reporters.builders import make_code, make_record, make_report, make_trial

PASSWORD = "hunter2hunter2"


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "HF_TOKEN",
        "hfToken",
        "db.password",
        "API_KEY",
        "apiKey",
        "aws_secret_access_key",
        "credentials",
        "client-secret",
        "tracker/passwd",
        "WANDB_API_KEY",
        "privateKey",
    ],
)
def test_a_secret_is_known_by_its_name(name):
    assert hostile.is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "tokenizer",
        "max_tokens",
        "pad_token",
        "eos_token",
        "key",
        "keys",
        "lr",
        "",
        "token_dropout",
        "secretary",
        "monkey",
        "primary_key",
        "num_token",
        "bos_token_id",
    ],
)
def test_a_parameter_of_a_model_is_no_secret(name):
    assert not hostile.is_secret(name)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://user:pw@host/x", "https://***@host/x"),
        ("https://ghp@host", "https://***@host"),
        ("postgresql+psycopg://u:p@ss@host:5432/db", "postgresql+psycopg://***@host:5432/db"),
        ("a http://u:p@h and s3://k:s@b/x", "a http://***@h and s3://***@b/x"),
        ("git+https://host/repo@v1.0", "git+https://host/repo@v1.0"),
        ("https://h/x?v=2&sig=aB%2F&se=1 y", "https://h/x?v=2&sig=***&se=1 y"),
        ("https://h/x?X-Amz-Signature=0f", "https://h/x?X-Amz-Signature=***"),
        ("https://host/t/tk-1/own/noarch", "https://host/t/***/own/noarch"),
        ("mail a@b.c", "mail a@b.c"),
        ("file:///x/y@z", "file:///x/y@z"),
        ("--token=abc --lr=0.1", "--token=*** --lr=0.1"),
        ("run --password abc --lr 0.1", "run --password *** --lr 0.1"),
        ("HF_TOKEN=abc python", "HF_TOKEN=*** python"),
        ("?a=1&api_key=abc&b=2", "?a=1&api_key=***&b=2"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("key ghp_" + "a" * 36, "key ***"),
        ("hf_" + "A" * 34, "***"),
        ("accuracy=0.96 pad_token=<pad>", "accuracy=0.96 pad_token=<pad>"),
    ],
)
def test_secrets_in_text_are_hidden(text, clean):
    assert hostile.redact(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        '{"db": {"password": "PASSWORD"}, "lr": 1}',
        "{'api_key': 'PASSWORD'}",
        '{"password" : "it\'s PASSWORD"}',
        '{"password": "a\\"PASSWORD"}',
        '{"config": "{\\"password\\": \\"PASSWORD\\"}"}',
        '{"password": "PASSWORD',
    ],
)
def test_a_secret_in_json_is_hidden(text):
    assert PASSWORD not in hostile.redact(text.replace("PASSWORD", PASSWORD))


def test_json_without_secrets_stays_as_it_is():
    text = '{"pad_token": "<pad>", "monkey": "x", "lr": 1, "key": "a"}'
    assert hostile.redact(text) == text


@pytest.mark.parametrize(
    "part",
    [
        "://",
        "a",
        "://a",
        "--token ",
        "a.",
        "=",
        "x=",
        "-",
        "authorization:",
        '"token": "',
        "'token':'a\\\\",
    ],
)
def test_redacting_takes_linear_time(part):
    text = part * (400_000 // len(part))
    started = time.process_time()
    hostile.redact(text)
    assert time.process_time() - started < 2


def test_a_secret_is_hidden_everywhere_in_a_report():
    steps = (Step(run=Argv(args=("train", "--password", "abc", "--x", PASSWORD))),)
    record = make_record(
        parameters={"db_password": PASSWORD, "lr": "0.1"},
        tags={"mlflow.source": f"https://u:{PASSWORD}@h"},
        command=Command(steps=steps, env={"API_KEY": "abcdefgh"}),
        code=make_code(repository="https://u:p@h/r"),
    )
    gone = Difference(name="my_token", original="one", trial="two", excuse=None)
    trial = make_trial(log_tail=f"connecting with {PASSWORD}\n", differences=(gone,))
    report = hostile.redacted_report(make_report(record=record, trials=(trial,), sentence=PASSWORD))
    shown = repr(report)
    assert PASSWORD not in shown
    assert not any(each in shown for each in ("'abc'", "abcdefgh", "'one'", "'two'", "u:p@"))
    assert report.record.parameters["lr"] == "0.1"


def test_a_short_value_is_no_secret_elsewhere():
    report = make_report(record=make_record(tags={"token": "accu"}), sentence="accuracy")
    redacted = hostile.redacted_report(report)
    assert (redacted.sentence, redacted.record.tags) == ("accuracy", {"token": "***"})


def test_a_report_without_secrets_stays_as_it_is():
    assert hostile.redacted_report(make_report()) == make_report()


def test_printable_text_is_one_visible_line():
    shown = hostile.printable("a\tb\nc\x1b[1m\u202ed\u200be\x9bf\ud800")
    assert shown == "a b c�[1m�d�e�f�"


@pytest.mark.parametrize(("length", "short"), [(5, "abcde"), (4, "abc…"), (1, "…"), (0, "…")])
def test_a_cut_text_says_so(length, short):
    assert hostile.cut("abcde", length) == short


def test_a_secret_that_begins_another_leaves_nothing_of_it():
    secrets = frozenset(f"secret-{'x' * length}" for length in range(1, 40))
    assert hostile.redact(f"sent secret-{'x' * 39}.", secrets) == "sent ***."
