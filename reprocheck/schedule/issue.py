"""Whether the schedule's one issue is to be open. Pure."""

from __future__ import annotations

from reprocheck.forges.github_nouns import Wanted
from reprocheck.model import Aggregate, Standing
from reprocheck.schedule.standing import measured

TITLE = "Runs stopped reproducing"


def wanted(aggregate: Aggregate) -> Wanted:
    """Open for a run that is confirmed to have stopped reproducing; closed where all hold again.

    What was not measured opens and closes nothing. Nor does a run that did not reproduce and is
    not known to have done so: it may be that only its good verifications are not kept any more.
    """
    standings = {each.standing for each in aggregate.trends}
    if Standing.STOPPED in standings:
        return Wanted.OPEN
    if standings & {Standing.UNCONFIRMED, Standing.NEVER}:
        return Wanted.AS_IT_IS
    hold = any(each.standing is Standing.HOLDS and measured(each.last) for each in aggregate.trends)
    return Wanted.CLOSED if hold else Wanted.AS_IT_IS
