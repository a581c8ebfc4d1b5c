"""What of the answers may be seen in the centre, so that nobody can tell a single vote.

A vote is confidential towards the officer. How many rated is no secret: the officer saw them. How they rated is, and two
figures a vote apart tell that vote. So answers are shown as *releases*: there is none below `GROUP` ratings, and one is
replaced only by counts with at least `GROUP` ratings more. A correction in between changes nothing that is shown; it is in
the next release, together with at least `GROUP` others.

Each counter's day has its own releases. The centre's answers are the counters' releases added up, so that no subtraction
leads to a counter that has none yet. What remains of a day, fewer than `GROUP`, is counted and never shown by answer.
"""

from __future__ import annotations

from firmware_py.features.ratings.figures import Counts, total

GROUP = 5


def released(shown: Counts | None, now: Counts) -> Counts | None:
    """What may be shown, after `shown` and with what is counted now; `shown` itself when nothing may change."""
    more = total(now) - (total(shown) if shown is not None else 0)
    if more < GROUP or any(count < 0 for count in now.values()):
        return shown
    return now
