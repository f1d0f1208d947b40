"""Where a cluster computes, a row that replaces one of a bucket that was final is marked as a late event is elsewhere."""

from livekpi.query.points import Request
from tests.clusters.served import Served
from tests.clusters.test_serving import BASE_US, arrive, event, serving
from tests.properties.played import LATE_US
from tests.rehearsed import HOUR_US, MINUTE_US


def corrected(served: Served, kpi: str = "events") -> dict[int, int]:
    """When points were corrected, by their minutes after BASE_US."""
    with served.query() as query:
        found = query.points(Request(kpi)).points
    return {(point.time_us - BASE_US) // MINUTE_US: point.corrected_us for point in found if point.corrected_us is not None}


def come(served: Served, *minutes: int) -> None:
    arrive(served, 0, *(event(BASE_US + minute * MINUTE_US) for minute in minutes))
    served.compute()
    served.settle()


def test_a_bucket_that_is_replaced_after_it_was_final_says_when() -> None:
    with serving(BASE_US + HOUR_US) as served:
        late = LATE_US // MINUTE_US
        come(served, 0, 1, late + 5)  # final up to 5
        come(served, late + 6, 7)
        assert corrected(served) == {}
        come(served, late + 7, 1)
        at_us = served.commits[-1].at_us
        (found,) = corrected(served).items()
        assert found[0] == 1
        assert 0 <= at_us - found[1] <= 2 * MINUTE_US
        served.kill()
        assert corrected(served) == dict([found])
        come(served, late + 8)  # what is repeated, or of another bucket, leaves it as it is
        assert corrected(served) == dict([found])
        served.job_begins_anew()
        served.settle()
        assert corrected(served) == dict([found])
