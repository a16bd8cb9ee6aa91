import dataclasses
import re

import pytest

from reprocheck.model import (
    Origin,
    OriginKind,
    Package,
    Page,
    RecordedFile,
    ReportDetail,
    Require,
    Verdict,
)
from reprocheck.reporters import comment
from tests.reporters.builders import (
    RUN_ID,
    TAG,
    make_code,
    make_comparison,
    make_environment,
    make_informational,
    make_record,
    make_report,
)
from tests.reporters.cases import consistent, dry_run, not_reproduced, not_verified, reproduced
from tests.reporters.checks import (
    COMMENTS,
    EARLIER,
    HEAD,
    dvc_material,
    make_check,
    make_page,
    named,
    on_base,
    several_runs,
    whole,
    whole_check,
)

STATE = re.compile(r"(?<=base64,)\S+")
TABLE_ROW = re.compile(r"^\|.*\|$")


def _text(markdown):
    """As it is read: without entities and the spaces of no width."""
    return re.sub(r"&#(\d+);|\u200b", lambda m: chr(int(m[1])) if m[1] else "", markdown)


@pytest.mark.parametrize("case", COMMENTS)
def test_golden(case, golden):
    text = comment.render(*COMMENTS[case])
    # How well it is packed is the matter of the machine's zlib.
    golden(f"comment-{case}.md", STATE.sub("…", text))


@pytest.mark.parametrize("make", [comment.render, comment.summary])
def test_the_page_is_linked_below_the_verdict(make):
    url = "https://github.com/example/digits/actions/runs/9/artifacts/8"
    text = make(make_check(reproduced()), make_page(html_url=url))
    assert f"**[Open the full report]({url})**" in text.split("| Metric |")[0]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://github.com/example/digits/actions/runs/9/artifacts/8",
        "https://elsewhere.example/digits",
        "javascript:alert(1)",
        "https://github.com/a) [b](https://elsewhere.example",
        "https://github.com/" + "a" * 2_000,
    ],
)
def test_a_page_elsewhere_is_not_linked(url):
    text = comment.render(make_check(reproduced()), make_page(html_url=url))
    assert "Open the full report" not in text


def test_a_summary_is_the_comment_unfolded_and_without_its_state(golden):
    golden("summary-whole.md", comment.summary(*whole_check()))


# --- what stands first ----------------------------------------------------------------------


def test_the_worst_run_stands_first():
    text = comment.render(several_runs(), make_page())
    heads = re.findall(r"^#+ (.*)", _text(text), re.M)
    assert [head.split()[1] for head in heads[1:]] == [
        "NOT_REPRODUCED",
        "CONSISTENT,",
        "REPRODUCED:",
    ]
    assert heads[0].startswith("✗ 3 runs: 1 NOT_REPRODUCED (worse), 1 CONSISTENT, but reproduced")


def test_a_problem_is_no_good_answer():
    check = make_check(reproduced(), problems=COMMENTS["problems"][0].problems)
    assert _text(comment.render(check, Page())).startswith("## ! 2 problems; REPRODUCED\n")


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        (reproduced(), "TIP"),
        (not_reproduced(), "CAUTION"),
        (not_verified(), "WARNING"),
        (consistent(), "WARNING"),  # as more was required
        (dataclasses.replace(consistent(), require=Require.CONSISTENT), "NOTE"),
        (dry_run(), "NOTE"),
    ],
)
def test_the_answer_stands_in_an_alert_of_its_kind(report, kind):
    assert f"\n\n> [!{kind}]\n> " in comment.render(make_check(report), Page())[:300]


@pytest.mark.parametrize("make", [comment.render, comment.summary])
def test_nothing_verified_says_so_and_what_to_do(make):
    text = _text(make(make_check(), Page()))
    assert text.startswith("## ! Nothing was verified\n")
    assert "the file reprocheck.runs\n" in text
    assert "`reprocheck: <run-id>`" in text
    assert "REPRODUCED" not in text
    assert "| --- |" not in text


def test_who_waits_is_not_told_to_name_a_run():
    text = comment.render(*COMMENTS["waiting"])
    assert "> Waiting for a maintainer's fetch" in text
    assert "Name a run" not in text


# --- links ----------------------------------------------------------------------------------


def _links(page, **changes):
    record = make_record(data=(dvc_material(),), **changes)
    text = comment.render(make_check(make_report(record=record)), page)
    return re.findall(r"\]\(([^)]*)\)", text)


def test_links_lead_to_the_run_its_commit_its_data_and_the_workflow():
    found = _links(make_page(), url="https://mlflow.example/#/experiments/1/runs/5f0c")
    assert [link.partition("/")[2] for link in found] == [
        "/mlflow.example/#/experiments/1/runs/5f0c",
        f"/github.com/example/digits/commit/{make_code().commit}",
        f"/github.com/example/digits/blob/{make_code().commit}/data/train.csv.dvc",
        "/github.com/example/digits/actions/runs/5",
        "/github.com/example/digits/actions/runs/5/artifacts/6",
    ]


def test_the_dvc_file_is_linked_that_the_run_kept():
    file = RecordedFile(path="reprocheck/data/train.csv.dvc", content=b"", origin=TAG)
    for files, count in (((file,), 1), ((), 0)):
        report = make_report(record=make_record(files=files))
        text = comment.render(make_check(report), make_page())
        assert text.count(f"/blob/{make_code().commit}/data/train.csv.dvc)") == count


@pytest.mark.parametrize("path", ["../../../../evil/x", "a/../../x", "/x", "a b", "a?b"])
def test_a_path_out_of_the_repository_is_not_linked(path):
    file = RecordedFile(path=f"{path}.dvc", content=b"", origin=TAG)
    where = Origin(kind=OriginKind.FILE, where=f"{path}.dvc at the commit")
    for material in (dvc_material(path=path, origin=TAG), dvc_material(origin=where)):
        record = make_record(files=(file,), data=(material,))
        text = comment.render(make_check(make_report(record=record)), make_page())
        assert "/blob/" not in text


def test_without_addresses_nothing_is_linked():
    assert _links(Page(), url="https://mlflow.example/") == []


@pytest.mark.parametrize(
    "url",
    [
        "http://mlflow.example/",
        "https://mlflow.example.evil.example/",
        "https://evil.example/mlflow.example/",
        "https://user@mlflow.example/",
        "https://mlflow.example@evil.example/",
        "https://mlflow.example:99999/",
        "https://mlflow.example/a b",
        "https://mlflow.example/a)b",
        "https://mlflow.example/<b>",
        "https://mlflow.example/\n\n# h",
        "https://mlflow.example/\u202e",
        "javascript:alert(1)",
        "https://",
        "",
    ],
)
def test_a_run_is_linked_only_where_its_tracker_is_known(url):
    assert all("github.com" in link for link in _links(make_page(), url=url))


def test_the_run_of_another_repository_has_no_link_to_this_one():
    code = make_code(repository="git@github.com:other/digits.git")
    assert not [link for link in _links(make_page(), code=code) if "/commit/" in link]


def test_the_run_of_a_fork_is_linked_there():
    page = make_page(head_repository="someone/digits")
    code = make_code(repository="https://github.com/someone/digits.git")
    assert any("/someone/digits/commit/" in link for link in _links(page, code=code))


def test_a_commit_that_is_none_has_no_link():
    code = make_code(commit="../../settings")
    assert not [link for link in _links(make_page(), code=code) if "settings" in link]


# --- beside the answer ----------------------------------------------------------------------


def test_the_base_branch_is_no_part_of_the_verdict():
    text = _text(comment.render(*COMMENTS["against-base"]))
    assert "no part of the verdict" in text
    # Five reruns here against three there: Welch's interval is not narrower than the pooled one.
    assert "| 0.951333 | 0.96078 | +0.009447 (+0.008313 … +0.01058) |" in text
    assert text.startswith("## ✓ REPRODUCED")


def test_one_rerun_on_a_side_gives_a_difference_without_an_interval():
    one = make_comparison(reruns=(0.95,), mean=0.95)
    page = make_page(base={RUN_ID: make_report(comparisons=(one,))})
    for ours, told in ((one, "| 0.95 | 0.95 | 0 |"), (make_comparison(), "| +0.01078 |")):
        assert told in comment.render(make_check(make_report(comparisons=(ours,))), page)


def test_many_changes_against_the_base_branch_are_folded():
    page = make_page(base={RUN_ID: on_base()})
    record = make_record(parameters={f"p{i}": "1" for i in range(9)})
    text = comment.render(make_check(make_report(record=record)), page)
    assert (
        "<summary>Changed against the base branch: 12 parameters, 1 material, 3 packages<" in text
    )


def test_the_last_push_is_told_of_only_where_something_changed():
    same = dataclasses.replace(EARLIER, verdicts={RUN_ID: Verdict.REPRODUCED})
    text = comment.render(make_check(reproduced()), make_page(earlier=same))
    assert "**Since the last push** (<code>cdcdcdc</code>): the same answers." in text


def test_the_same_commit_is_no_push():
    again = dataclasses.replace(EARLIER, head_sha=HEAD)
    text = comment.render(make_check(reproduced()), make_page(earlier=again))
    assert "Since the last verification of this commit" in text


def test_the_command_is_to_be_pasted():
    record = make_record(ref=dataclasses.replace(make_record().ref, run_id="-x;$(id)"))
    metric = make_comparison(metric="a b'c")
    text = comment.render(make_check(make_report(record=record, comparisons=(metric,))), Page())
    assert "'--margin=a b'\"'\"'c=0.005'" in text
    assert "\n  -- \\\n  '-x;$(id)'\n```" in text


def test_a_minimal_report_tells_no_text_of_the_run():
    planted = "zzplanted"
    report = dataclasses.replace(
        whole(),
        detail=ReportDetail.MINIMAL,
        sentence=planted,
        needed=planted,
        record=make_record(
            name=planted,
            experiment=planted,
            description=planted,
            parameters={planted: planted},
            data=(dvc_material(path=planted), dvc_material(digest=planted)),
            code=make_code(commit=planted, repository=planted),
        ),
        environment=make_environment(
            asked=planted, digest=planted, packages=(Package(name=planted, version="1"),)
        ),
        comparisons=(
            make_comparison(sentence=planted, notes=(planted,)),
            make_informational(f"{planted}/metric"),
        ),
    )
    page = make_page(base={RUN_ID: report}, earlier=EARLIER)
    for text in (
        comment.render(make_check(report), page),
        comment.summary(make_check(report), page),
    ):
        assert planted not in text
        assert "<code>accuracy</code>" in text
        assert "in minimal detail" in text


def test_a_minimal_report_of_the_base_branch_is_not_shown():
    other = dataclasses.replace(on_base(), detail=ReportDetail.MINIMAL)
    text = comment.render(make_check(make_report()), make_page(base={RUN_ID: other}))
    assert "momentum" not in text


# --- how large it is --------------------------------------------------------------------------


def _large(run):
    metrics = tuple(
        make_comparison(metric=f"metric/{i}", sentence=f"Of metric {i}: {'@' * 40}")
        for i in range(300)
    )
    packages = tuple(Package(name=f"package-{i}", version=f"1.{i}") for i in range(500))
    report = make_report(comparisons=metrics, environment=make_environment(packages=packages))
    return named(report, f"{run:032x}", "n" * 200)


@pytest.fixture(scope="module")
def large():
    return make_check(*(_large(i) for i in range(20)), problems=(), rule_changes=())


def _is_whole(text):
    """Whether no table's row, fence or fold is cut."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(TABLE_ROW.match(line) for line in rows)
    assert len(re.findall("^```", text, re.M)) % 2 == 0
    assert text.count("<details") == text.count("</details>")
    return True


def test_a_comment_is_cut_by_rows_and_parts(large):
    text = comment.render(large, make_page())
    assert len(text.encode()) <= comment.LARGEST
    assert len(text.encode()) > comment.LARGEST * 0.7
    assert _is_whole(text)
    assert text.count("\n### ") == 20
    assert len(re.findall(r"^29\d more in the report$", text, re.M)) >= 20
    assert "Left out here for its length, but in the report: " in text


def test_a_summary_is_cut_by_parts(large):
    text = comment.summary(make_check(*large.reports[:4]), make_page())
    assert comment.LARGEST < len(text.encode()) <= comment.LARGEST_SUMMARY
    assert _is_whole(text)


def test_hundreds_of_runs_stand_in_one_table():
    check = make_check(*(named(reproduced(), f"{i:032x}", f"run {i}") for i in range(128)))
    text = comment.render(check, make_page())
    assert len(text.encode()) <= comment.LARGEST
    assert _is_whole(text)
    assert "128 runs: 128 REPRODUCED" in _text(text)
