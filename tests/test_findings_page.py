"""docs/findings.md against the codes that findings have."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml

from reprocheck import schema
from reprocheck.model import Finding, Severity
from tests import finding_codes
from tests.finding_codes import KEBAB, PAGE, Watcher, sections, source_codes

TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = sections(TEXT)
# Keys of tables from which findings are made, that are the code of none.
NO_CODES: frozenset[str] = frozenset()
FORM = ("- **Severity**: ", "- **Means**: ", "- **Why**: ", "- **Mend**: ")


@pytest.fixture(scope="module")
def codes():
    return source_codes()


def test_each_code_has_a_section_and_each_section_a_code(codes):
    lacking = sorted(set(codes) - set(SECTIONS) - NO_CODES)
    left = sorted(set(SECTIONS) - set(codes))
    assert not lacking, f"codes without a section in docs/findings.md: {', '.join(lacking)}"
    assert not left, f"sections of docs/findings.md without a code: {', '.join(left)}"


def test_codes_are_words_with_hyphens(codes):
    assert [code for code in codes if not KEBAB.fullmatch(code)] == []


def test_sections_are_unique_and_sorted():
    names = re.findall(r"^## (\S+)$", TEXT, re.MULTILINE)
    assert names == sorted(set(names))


@pytest.mark.parametrize("part", FORM)
def test_each_section_has_the_form(part):
    lacking = [code for code, text in SECTIONS.items() if text.count(f"\n{part}") != 1]
    assert not lacking, f"sections of docs/findings.md without one '{part.strip()}': {lacking}"


def test_the_severities_are_those_of_the_code(codes):
    words = "|".join(severity.value for severity in Severity)
    wrong = []
    for code in sorted(SECTIONS.keys() & codes.keys()):
        line = SECTIONS[code].split(FORM[0])[1].split("\n- ")[0]
        told = set(re.findall(rf"\b({words})\b", line))
        are = codes[code]
        if not told or not are.sure <= told <= are.possible:
            wrong.append(f"{code}: told {sorted(told)}, is {sorted(are.possible)}")
    assert not wrong, "\n".join(wrong)


def test_the_contents_lead_to_each_section():
    contents = TEXT.split("\n## ")[0]
    links = re.findall(r"\[([\w-]+)\]\(#([\w-]+)\)", contents)
    assert [text for text, anchor in links if text != anchor] == []
    assert {text for text, _ in links} == set(SECTIONS)


# --- what to paste ------------------------------------------------------------------------


def blocks(language):
    found = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert found
    return found


def test_each_section_has_something_to_paste():
    assert [code for code, text in SECTIONS.items() if text.count("\n```") != 2] == []


def test_the_files_follow_their_schemas():
    wrong = {}
    for text in blocks("yaml"):
        name = re.match(r"(?:# (\S+)\n)?", text)[1] or "reprocheck.yaml"
        shape = {"experiment.yaml": "experiment", "reprocheck.yaml": "config"}.get(name)
        if shape:  # dvc.yaml has none of ours
            wrong[text] = schema.check({"version": 1} | yaml.safe_load(text), shape)
    assert {text: issues for text, issues in wrong.items() if issues} == {}


def commands():
    lines = "".join(blocks("sh")).splitlines()
    return [shlex.split(line, comments=True) for line in lines]


def test_the_lines_of_python_are_python():
    given = [words[2] for words in commands() if words[:2] == ["python", "-c"]]
    for text in (*blocks("python"), *given):
        compile(text, "findings.md", "exec")


# --- how the codes are found --------------------------------------------------------------

SOURCE = """
from reprocheck.model import Finding, Severity
NAMED, OTHER = "of-a-constant", "other"
CODES = {"size": 1}

def direct(kind):
    yield Finding(code="one" if kind else "two-three", severity=Severity.ERROR)
    yield Finding(code=NAMED, severity=Severity.NOTE)

def told(low):
    yield _handed("four-five", "said", severity=Severity.NOTE if low else Severity.WARNING)
    yield _handed("six-seven", "said")

def _handed(code, message, severity=Severity.ERROR):
    return _deeper(message, code=code, severity=severity)

def _deeper(message, *, code, severity):
    return Finding(code=code, severity=severity, message=message)

def rows():
    yield ("eight-nine", Severity.WARNING, "said")

def of_rows():
    for code, severity, said in rows():
        yield Finding(code=code, severity=severity, message=said)
    yield _formed("ten")

def of_a_case(code):
    match code:
        case "eleven-twelve":
            return Finding(code=code, severity=Severity.ERROR)

def of_a_table(key):
    code, said = {0: ("of-a-table", "said")}[key]
    return Finding(code=code, severity=Severity.NOTE if key else Severity.ERROR, message=said)

def read_back(words):
    return Finding(**words)

def _formed(kind):
    found = f"is-{kind}"
    return Finding(code=found, severity=Severity.NOTE)
"""


def test_codes_are_found_however_they_reach_a_finding(tmp_path):
    (tmp_path / "made.py").write_text(SOURCE)
    found = source_codes(tmp_path)
    assert {code: each.sure for code, each in found.items()} == {
        "one": {"error"},
        "two-three": {"error"},
        "of-a-constant": {"note"},
        "four-five": {"note", "warning"},
        "six-seven": {"error"},
        "eight-nine": {"warning"},
        "is-ten": {"note"},
        "eleven-twelve": {"error"},
        "of-a-table": set(),
    }
    assert found["of-a-table"].possible == {"error", "note"}


def test_a_code_that_only_appears_at_run_time_is_seen(monkeypatch):
    watcher = Watcher()
    monkeypatch.setattr(Finding, "__init__", Finding.__init__)
    watcher.install()
    Finding(code="of-a-test", severity=Severity.NOTE, message="", hint="", pointer="")
    made = compile(
        "Finding(code=code, severity='note', message='', hint='', pointer='')",
        str(finding_codes.PACKAGE / "made.py"),
        "eval",
    )
    for code in ("of-a-test", "of-the-package", next(iter(SECTIONS))):
        monkeypatch.setattr(finding_codes, "documented", lambda: frozenset(SECTIONS))
        eval(made, {"Finding": Finding, "code": code})
    assert watcher.unknown == {"of-the-package"}
