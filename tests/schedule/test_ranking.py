from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from reprocheck.model import RunRef, Top, Verification
from reprocheck.schedule.choosing import Seen
from reprocheck.schedule.ranking import UNCONFIRMED, Looked, Ranking
from reprocheck.schedule.wishes import Wishes
from tests.schedule.builders import DAY, history, verification

SUBJECT = "a" * 64


def seen(run_id: str, name: str = "net", value: float | None = None) -> tuple[Seen, str]:
    ref = RunRef(tracker="mlflow", run_id=run_id)
    found = Seen(ref=ref, name=name, experiment="secret study", started_at=DAY, value=value)
    return found, "best by accuracy in secret study"


def rank(
    histories: Mapping[str, Sequence[Verification]],
    *,
    today: int = 10,
    limit: int = 50,
    max_age_days: float = 6,
    sensitive: bool = False,
    subject: str = SUBJECT,
) -> Top:
    ranking = Ranking(
        wishes=Wishes(limit=limit, max_age_s=max_age_days * 86_400),
        now=DAY + timedelta(days=today),
        history=lambda run_id: tuple(histories[run_id]),
        look=lambda ids: {each: Looked(subject=subject, sensitive=sensitive) for each in ids},
    )
    return ranking.rank(seen(run_id) for run_id in histories)


def ids(top: Top) -> list[str]:
    return [each.ref.run_id for each in top.chosen]


def test_what_was_never_verified_comes_first_then_the_oldest():
    top = rank({"b": history("✓✓"), "a": history("✓"), "new": ()})
    assert ids(top) == ["new", "a", "b"]
    assert top.chosen[0].verified_at is None
    assert top.chosen[1].verified_at == DAY


def test_what_was_verified_lately_as_it_is_is_left_out():
    top = rank({"old": [verification("✓", 3)], "new": [verification("?", 5)]})
    assert ids(top) == ["old"]
    assert [each.ref.run_id for each in top.recent] == ["new"]


def test_what_was_changed_since_is_verified_again():
    assert ids(rank({"a": [verification("✓", 9)]}, subject="b" * 64)) == ["a"]


def test_a_verification_without_a_subject_leaves_nothing_out():
    assert ids(rank({"a": [verification("✓", 9, "")]}, subject="")) == ["a"]


def test_a_verification_that_failed_counts_as_none_but_waits_its_turn():
    top = rank({"broken": [verification("!", 9)], "old": [verification("✓", 0)]})
    assert ids(top) == ["old", "broken"]
    assert top.chosen[1].verified_at is None
    assert top.chosen[1].verdict is None


def test_what_has_to_be_confirmed_comes_first_however_young():
    top = rank({"new": (), "doubted": [verification("✓", 8), verification("✗", 9)]})
    assert ids(top) == ["doubted", "new"]
    assert top.chosen[0].why.startswith(UNCONFIRMED)


def test_what_was_confirmed_waits_as_all_others_do():
    assert ids(rank({"stopped": [*history("✓"), *(verification("✗", n) for n in (8, 9))]})) == []


def test_the_limit_counts_what_it_leaves_out():
    top = rank({str(n): () for n in range(200)}, limit=150)
    assert len({each.slug for each in top.chosen}) == 150
    assert top.further == 50


def test_a_report_from_the_future_leaves_nothing_out():
    assert ids(rank({"a": [verification("✓", 400)]})) == ["a"]


def test_a_sensitive_run_is_told_without_names():
    (only,) = rank({"1": ()}, sensitive=True).chosen
    assert (only.name, only.experiment, only.why) == ("", "", "best by accuracy")
    assert only.slug.startswith("run-")
