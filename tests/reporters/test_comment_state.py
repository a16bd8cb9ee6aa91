import base64
import gzip
import hashlib
import json

import cmarkgfm
import pytest

from reprocheck.model import Verdict
from reprocheck.reporters import comment, comment_state
from tests.reporters.builders import RUN_ID, make_comparison, make_informational, make_report
from tests.reporters.cases import not_reproduced, reproduced
from tests.reporters.checks import COMMENTS, HEAD, make_check, make_page, named

PAGE = make_page(run_id=12, attempt=3)


def _line(document, pack=gzip.compress):
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    packed = base64.b64encode(pack(text)).decode()
    return f"[reprocheck-state]: data:application/gzip;base64,{packed}"


def _document(**changes):
    document = {"v": 1, "head": HEAD, "run": 5, "attempt": 1, "verdicts": {}, "values": {}}
    return document | changes


def test_a_comment_remembers_what_it_said():
    check = make_check(not_reproduced(), named(reproduced(), "1" * 32, "other"))
    body = f"<!-- reprocheck:v1 key=00 -->\n{comment.render(check, PAGE)}"
    for text in (body, body.replace("\n", "\r\n"), f"{body}\nmore"):
        found = comment_state.recall(text)
        assert (found.head_sha, found.run_id, found.attempt) == (HEAD, 12, 3)
        assert found.verdicts == {RUN_ID: Verdict.NOT_REPRODUCED, "1" * 32: Verdict.REPRODUCED}
        assert found.values[RUN_ID] == {"accuracy": 0.91342, "validation/f1_macro": 0.96078}


def test_only_judged_metrics_with_a_mean_are_remembered():
    metrics = (
        make_comparison(mean=float("nan")),
        make_comparison(metric="loss", mean=None),
        make_informational("latency"),
    )
    line = comment_state.remember(make_check(make_report(comparisons=metrics)), PAGE)
    assert comment_state.recall(line).values == {}


def test_a_dry_run_is_not_remembered():
    line = comment_state.remember(make_check(make_report(dry_run=True)), PAGE)
    assert comment_state.recall(line).verdicts == {}


@pytest.mark.parametrize("runs", [1, 120, 600])
def test_it_stays_small_and_values_go_first(runs):
    ids = [hashlib.md5(bytes([i % 256, i // 256])).hexdigest() for i in range(runs)]
    reports = [
        named(make_report(comparisons=(make_comparison(mean=int(run, 16) / 1e38),)), run, "n")
        for run in ids
    ]
    line = comment_state.remember(make_check(*reports), PAGE)
    found = comment_state.recall(line)
    assert len(line) <= comment_state.LARGEST
    assert bool(found.values) is (runs == 1)
    assert len(found.verdicts) == runs or (runs == 600 and found.verdicts)


@pytest.mark.parametrize("case", COMMENTS)
def test_it_is_not_shown(case):
    html = cmarkgfm.github_flavored_markdown_to_html(comment.render(*COMMENTS[case]))
    assert "reprocheck-state" not in html
    assert "gzip" not in html


def test_the_last_line_counts_as_a_log_may_hold_another():
    forged = _line(_document(run=99, verdicts={RUN_ID: "IDENTICAL"}))
    body = f"```text\n{forged}\n```\n\n{comment.render(make_check(not_reproduced()), PAGE)}"
    assert comment_state.recall(body).run_id == 12


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[" * 50_000,
        b'{"v":' + b"1" * 5_000 + b"}",
        [],
        _document(v=2),
        _document(v=True) | {"v": "1"},
        _document(head="main"),
        _document(head=None),
        _document(head="AB" * 20),
        _document(run="5"),
        _document(run=-1),
        _document(run=2**64),
        _document(run=True),
        _document(attempt=1.5),
        _document(verdicts=[]),
        _document(verdicts={RUN_ID: "GREEN"}),
        _document(verdicts={RUN_ID: "INFORMATIONAL"}),
        _document(verdicts={RUN_ID: ["REPRODUCED"]}),
        _document(verdicts={"x" * 501: "REPRODUCED"}),
        _document(verdicts={str(i): "REPRODUCED" for i in range(1_001)}),
        _document(values={RUN_ID: {"accuracy": "0.9"}}),
        _document(values={RUN_ID: {"accuracy": float("nan")}}),
        _document(values={RUN_ID: {"accuracy": True}}),
        _document(values={RUN_ID: {"accuracy": 10**400}}),
        _document(values={RUN_ID: 1}),
        {"v": 1},
    ],
)
def test_what_is_odd_is_not_believed(document):
    assert comment_state.recall(_line(document)) is None


def test_what_unpacks_to_too_much_is_not_unpacked():
    small = json.dumps(_document()).encode()
    assert comment_state.recall(_line(small)) is not None
    assert comment_state.recall(_line(small + b" " * 100_000)) is None
    assert len(_line(b" " * 4_000_000)) < 8_000
    assert comment_state.recall(_line(b" " * 4_000_000)) is None


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no state",
        "[reprocheck-state]: data:application/gzip;base64,AAAA",
        "[reprocheck-state]: data:application/gzip;base64,A",
        "[reprocheck-state]: data:application/gzip;base64,====",
        " " + _line(_document()),
        _line(_document()) + " x",
        _line(_document(), pack=lambda text: gzip.compress(text)[:-4]),
        _line(_document(), pack=lambda text: gzip.compress(text) + b"more"),
        _line(_document(), pack=lambda text: text),
        _line(_document()).replace("base64,", "base64," + "A" * 9_000),
    ],
)
def test_what_is_no_whole_line_is_not_believed(body):
    assert comment_state.recall(body) is None
