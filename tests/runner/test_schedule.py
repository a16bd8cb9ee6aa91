"""The workflow of a schedule, executed by the small runner of this folder."""

from __future__ import annotations

import io
import json
import zipfile

from tests.runner.team import Team


def test_a_schedule_verifies_the_best_runs_and_sums_them_up(team: Team) -> None:
    ran = team.scheduled('{metric: accuracy, best: "2"}')
    plan = ran.job("plan")
    assert plan.result == "success", plan.console.text
    assert plan.step("plan").outputs["count"] == "2"
    legs = {leg.matrix["id"]: leg for leg in ran.legs("verify")}
    verdicts = {run_id: leg.step("verify").outputs["verdict"] for run_id, leg in legs.items()}
    honest, inflated = (team.runs[name] for name in ("honest", "inflated"))
    assert verdicts == {honest: "identical", inflated: "not_reproduced"}
    assert (legs[honest].result, legs[inflated].result) == ("success", "failure")
    assert legs[inflated].step("verify").outputs["job-exit-code"] == "10"

    whole = ran.job("aggregate")
    assert whole.result == "success", whole.console.text
    assert honest in whole.summary
    assert inflated in whole.summary
    zipped = team.world.artifacts.of(ran.id)["reprocheck-badge"]
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        (name,) = archive.namelist()
        badge = json.loads(archive.read(name))
    assert (badge["schemaVersion"], badge["message"]) == (1, "1/2")
    assert not team.github.repository.issues  # one failure may be the machine's: it is confirmed
