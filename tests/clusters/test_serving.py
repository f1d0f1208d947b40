"""Whatever a job writes in whatever order, again and again, and whatever befalls the server: the numbers are those of one batch query."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from livekpi.clock import ManualClock
from livekpi.engine.replay import Replay
from livekpi.query.steps import QueryError
from livekpi.store import dead_letters, positions
from tests.clusters import shop
from tests.clusters.reference_job import ReferenceJob
from tests.clusters.served import SETTLE_US, Served
from tests.oracle.oracle import DAY_US, EPOCH, HOUR_US, MICROSECOND
from tests.properties.played import same
from tests.properties.shop import KPIS, MINUTE_US
from tests.properties.test_engine import cuts_a_bucket, worlds_apart
from tests.properties.worlds import Act, Ask, Record, World, asks, make_record, random_values, worlds


def us(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND


SHOP = shop.definition()


@contextmanager
def serving(now_us: int, **rest: object) -> Iterator[Served]:
    with TemporaryDirectory() as directory:
        served = Served(Path(directory), ManualClock(now_us), shop.definition(**rest) if rest else SHOP)
        try:
            yield served
        finally:
            served.close()


def play(served: Served, act: Act, random: Random) -> None:
    for partition, records in act.records:
        served.topic.arrive(partition, records, served.clock.now_us())
    if act.kind == "arrive":
        served.compute(random)
        served.commit(act.cut)
    elif act.kind == "die":
        served.compute(random)
        served.kill_in(served.commit)
    elif act.kind == "restart":
        served.job_begins_anew(random)
    elif act.kind == "kill":
        served.kill()
    elif act.kind == "compact":
        with served.store.transaction() as cursor:
            housekeeping = served.engine._housekeeping
            housekeeping.run(cursor, housekeeping.everything())
    else:
        served.clock.set_us(served.clock.now_us() + act.wait_us)
        served.commit()


def check(served: Served, ask: Ask) -> None:
    expected, steps = served.expected(ask)
    if cuts_a_bucket(ask, steps):
        with pytest.raises(QueryError, match=r"cut one in two|kept in buckets of"):
            served.asked(ask)
        return
    values, final = served.asked(ask)
    assert values.keys() == expected.keys(), ask
    for key, value in expected.items():
        assert same(values[key], value, KPIS[ask.kpi].kpi.tolerance), (ask, key, values[key], value)
    ends, final_before_us = dict(steps), served.topic.final_before_us(served.clock.now_us())
    early = {key for key, said in final.items() if said and ends[key[0]] > final_before_us}
    assert early == set(), ask


@settings(worlds_apart, max_examples=worlds_apart.max_examples // 2)
@given(st.data())
def test_the_numbers_are_those_of_one_batch_query(data: st.DataObject) -> None:
    world: World = data.draw(worlds())
    random = Random(data.draw(st.integers(0, 2**32 - 1)))
    with serving(world.now_us) as served:
        for act in world.acts:
            play(served, act, random)
        served.settle()
        for ask in data.draw(st.lists(asks(world.times), min_size=12, max_size=12)):
            check(served, ask)
        with served.cursor() as cursor:
            letters = [(letter.partition, letter.position) for letter in dead_letters.find(cursor)]
        assert len(letters) == len(set(letters))
        assert set(letters) == served.topic.dead
        note(f"{len(served.topic.events)} events, {len(letters)} dead letters")


BASE_US = us("2026-06-10T00:00Z")
COUNT = Ask("events", "all", "UTC", (), None, 0)


def event(time_us: int, **values: object) -> Record:
    return make_record(time_us, values)


def arrive(served: Served, partition: int, *records: Record) -> None:
    served.topic.arrive(partition, records, served.clock.now_us())


def wait(served: Served, time_us: int) -> None:
    served.clock.set_us(served.clock.now_us() + time_us)
    served.commit()


def finals(served: Served, kpi: str = "events") -> set[int]:
    """The starts of the KPI's buckets that are final."""
    return {time_us for (time_us, _), final in served.asked(Ask(kpi, None, "UTC", (), None, BASE_US))[1].items() if final}


def test_numbers_are_shown_at_once_and_called_final_when_the_progress_has_settled() -> None:
    with serving(BASE_US + HOUR_US) as served:
        arrive(served, 0, event(BASE_US), event(BASE_US + 20 * MINUTE_US))
        served.compute()
        served.commit()
        assert served.asked(COUNT)[0] == {(BASE_US, ()): 2}
        assert finals(served) == set()
        served.settle()
        assert finals(served) == {BASE_US + minute * MINUTE_US for minute in range(10)}


def test_an_old_bucket_hides_no_later_one() -> None:
    with serving(BASE_US + HOUR_US) as served:
        for time_us in (BASE_US + 20 * MINUTE_US, BASE_US):
            arrive(served, 0, event(time_us))
            served.compute()
            served.commit()
        minutes = served.asked(Ask("events", None, "UTC", (), None, BASE_US))[0]
        assert (len(minutes), minutes[BASE_US + 20 * MINUTE_US, ()]) == (21, 1)


def test_progress_that_comes_before_its_rows_waits_for_them() -> None:
    with serving(BASE_US + HOUR_US) as served:
        arrive(served, 0, event(BASE_US), event(BASE_US + 20 * MINUTE_US))
        served.compute()
        tables = [topic for topic in served.reading.topics if "cells_" in topic]
        served.reading.held.update(tables)  # the broker gives them late
        served.settle()
        served.reading.held.clear()
        served.commit()
        assert served.asked(COUNT)[0] == {(BASE_US, ()): 2}
        with served.cursor() as cursor:  # in the very commit that brought the rows, not before
            assert "0" in positions.load(cursor, shop.SOURCE, "kafka:shop")


def test_rows_that_the_job_writes_a_little_later_than_its_progress_are_waited_for() -> None:
    with serving(BASE_US + HOUR_US) as served:
        arrive(served, 0, event(BASE_US, country="DE"))
        served.compute()
        served.settle()
        arrive(served, 0, event(BASE_US + MINUTE_US), event(BASE_US + 20 * MINUTE_US))
        served.job.take(0, 1, served.topic.records[0][1])
        served.job.take(0, 2, served.topic.records[0][2])
        rows = served.job.rows()
        served.write([row for row in rows if "progress_" in row[0]])
        served.commit()
        wait(served, SETTLE_US - 1)
        served.commit()
        assert finals(served) == set()
        served.write([row for row in rows if "progress_" not in row[0]])
        wait(served, 1)  # now its turn has come; what is in the topics by now is read first
        served.commit()
        served.commit()
        found, final = served.asked(Ask("events", None, "UTC", (), None, BASE_US))
        assert found[BASE_US + MINUTE_US, ()] == 1
        assert final[BASE_US + MINUTE_US, ()]


def test_once_a_job_that_ends_by_itself_has_written_all_when_it_has_ended_and_not_before() -> None:
    with serving(BASE_US + HOUR_US) as served:
        served.source.finished = threading.Event()
        arrive(served, 0, event(BASE_US), event(BASE_US + 20 * MINUTE_US))
        for offset in range(2):
            served.job.take(0, offset, served.topic.records[0][offset])
        rows = served.job.rows()
        served.write([row for row in rows if "progress_" in row[0]])
        served.settle()
        wait(served, HOUR_US)  # a slow machine
        served.commit()
        assert not served.source.at_end()
        served.write([row for row in rows if "progress_" not in row[0]])
        served.source.finished.set()
        served.commit()
        served.commit()
        assert served.source.at_end()
        assert served.asked(COUNT)[0] == {(BASE_US, ()): 2}


def test_a_job_that_stands_still_is_no_source_that_is_silent() -> None:
    with serving(BASE_US + HOUR_US) as served:
        arrive(served, 0, event(BASE_US))
        served.compute()
        served.settle()
        arrive(served, 0, event(BASE_US + MINUTE_US))  # and the job is gone
        for _ in range(10):
            wait(served, MINUTE_US)
        assert finals(served) == set()
        served.kill()
        for _ in range(10):
            wait(served, MINUTE_US)
        assert finals(served) == set()
        assert served.source.lag()["0"] == 1
        served.compute()
        served.settle()
        for _ in range(4):
            wait(served, MINUTE_US)
        assert finals(served) == {BASE_US, BASE_US + MINUTE_US}
        assert served.source.lag()["0"] == 0


def test_a_server_that_was_away_does_not_take_that_for_silence() -> None:
    with serving(BASE_US + HOUR_US) as served:
        arrive(served, 0, event(BASE_US), event(BASE_US + 20 * MINUTE_US))
        served.compute()
        served.settle()
        served.clock.set_us(served.clock.now_us() + 2 * HOUR_US)
        served.kill()
        assert len(finals(served)) == 10  # not by the clock: who knows what came meanwhile
        for _ in range(4):
            wait(served, MINUTE_US)
        assert len(finals(served)) == 21


def test_a_partition_that_the_job_has_not_begun_with_is_waited_for() -> None:
    with serving(BASE_US + HOUR_US) as served:
        arrive(served, 0, event(BASE_US), event(BASE_US + 30 * MINUTE_US))
        served.compute()
        arrive(served, 1, event(BASE_US + MINUTE_US))
        served.settle()
        assert finals(served) == set()
        served.compute()
        served.settle()
        assert finals(served) == set()  # its own event is no older than that
        arrive(served, 1, event(BASE_US + 30 * MINUTE_US))
        served.compute()
        served.settle()
        assert len(finals(served)) == 20


def test_while_the_ends_of_the_source_are_not_known_nothing_is_final() -> None:
    with serving(BASE_US + HOUR_US) as served:
        served.source_ends.known = False
        arrive(served, 0, event(BASE_US), event(BASE_US + 30 * MINUTE_US))
        served.compute()
        for _ in range(10):
            wait(served, MINUTE_US)
        assert served.asked(COUNT)[0] == {(BASE_US, ()): 2}
        assert len(finals(served)) == 20  # as far as the progress goes, and not by the clock


def test_a_row_that_is_repeated_changes_nothing() -> None:
    with serving(BASE_US + HOUR_US) as served:
        arrive(served, 0, *(event(BASE_US + n, country="DE", user=str(n % 3), amount=Decimal(n)) for n in range(20)), Record(None, b"{"))
        served.compute()
        served.settle()
        before = served.rows()
        commits = len(served.commits)
        served.job_begins_anew()
        served.settle()
        assert len(served.commits) > commits
        assert all(commit.touched == {} for commit in served.commits[commits:])
        assert served.rows() == before


def test_a_job_that_goes_back_takes_back_what_was_final_until_it_is_there_again() -> None:
    with serving(BASE_US + HOUR_US) as served:
        arrive(served, 0, event(BASE_US), event(BASE_US + 30 * MINUTE_US))
        served.compute()
        served.settle()
        assert len(finals(served)) == 20
        anew = ReferenceJob(served.definition, shop.SOURCE)
        anew.take(0, 0, served.topic.records[0][0])
        served.write(anew.rows())
        served.settle()
        assert finals(served) == set()
        anew.take(0, 1, served.topic.records[0][1])
        served.write(anew.rows())
        served.settle()
        assert len(finals(served)) == 20


@pytest.mark.parametrize("together", [True, False])
def test_a_job_that_has_forgotten_a_bucket_takes_nothing_away(together: bool) -> None:
    with serving(BASE_US + HOUR_US) as served:
        arrive(served, 0, *(event(BASE_US + number, user=f"u{number}", amount=Decimal(number)) for number in range(5)))
        served.compute()
        if not together:
            served.commit()
        forgetful = ReferenceJob(served.definition, shop.SOURCE)
        for offset in (1, 3):
            forgetful.take(0, offset, served.topic.records[0][offset])
        served.write(forgetful.rows())
        served.settle()
        for name in ("events", "revenue", "users", "middle", "latest"):
            check(served, Ask(name, None, "UTC", (), None, BASE_US))


KEEP = {"1m": "6h", "30m": "2d", "1h": "400d"}


def test_rows_of_buckets_that_were_rolled_up_are_not_taken_and_counted() -> None:
    with serving(BASE_US + 2 * DAY_US, keep=KEEP) as served:
        arrive(served, 0, event(BASE_US, country="DE"), event(BASE_US + MINUTE_US, country="DE"), event(BASE_US + DAY_US))
        served.compute()
        served.settle()
        wait(served, MINUTE_US)
        hours = Ask("events", "1h", "UTC", ("country",), None, BASE_US)
        before = served.asked(hours)[0]
        assert served.metric("livekpi_stale_rows_total") == 0
        served.job_begins_anew()
        served.settle()
        assert served.asked(hours)[0] == before == served.expected(hours)[0]
        stale = served.metric("livekpi_stale_rows_total")
        assert stale > 0
        arrive(served, 0, event(BASE_US + 2 * MINUTE_US))
        served.compute()
        served.settle()
        assert served.asked(hours)[0] == before
        assert served.metric("livekpi_stale_rows_total") > stale


def test_what_is_rolled_up_stays_so_when_the_job_goes_back() -> None:
    with serving(BASE_US + 2 * DAY_US, keep=KEEP) as served:
        arrive(served, 0, event(BASE_US), event(BASE_US + MINUTE_US), event(BASE_US + DAY_US))
        served.compute()
        served.settle()
        wait(served, MINUTE_US)
        before = served.rows()
        anew = ReferenceJob(served.definition, shop.SOURCE)
        for offset in range(3):
            anew.take(0, offset, served.topic.records[0][offset])
            served.write(anew.rows())
            served.settle()
            wait(served, MINUTE_US)  # and house is kept
        assert served.rows() == before


@settings(worlds_apart, max_examples=worlds_apart.max_examples // 2)
@given(st.data())
def test_the_numbers_stay_when_buckets_are_rolled_up(data: st.DataObject) -> None:
    world: World = data.draw(worlds((0,)))
    random = Random(data.draw(st.integers(0, 2**32 - 1)))
    with serving(world.now_us, keep=KEEP) as served:
        for act in world.acts:
            play(served, act, random)
        served.settle()
        wait(served, MINUTE_US)
        served.job_begins_anew(random)
        served.settle()
        for ask in data.draw(st.lists(asks(world.times, ("1h", "2h", "12h", "1d", "2d", "1w")), min_size=8, max_size=8)):
            try:
                check(served, ask)
            except QueryError as error:
                if ask.timezone != "Asia/Kolkata" or "kept in buckets of 1h" not in str(error):
                    raise  # only there days begin within a rolled-up hour


def test_a_new_server_reads_all_there_is_before_it_rolls_up_or_calls_anything_final() -> None:
    random = Random(3)
    with serving(BASE_US + 3 * DAY_US, keep=KEEP) as served:
        times = [BASE_US + random.randrange(3 * DAY_US) for _ in range(15)]
        for number, time_us in enumerate(times):
            arrive(served, number % 3, make_record(time_us, random_values(random)))
        served.compute(random)
        while not served.reading.at_end():
            served.commit(limit=4)
            assert served.reading.at_end() or finals(served) == set()
            served.clock.set_us(served.clock.now_us() + MINUTE_US + 1)  # long enough to keep house each time
        served.settle()
        wait(served, MINUTE_US + 1)
        for name in ("events", "revenue", "users", "middle", "latest"):
            check(served, Ask(name, "1h", "UTC", KPIS[name].kpi.by, None, BASE_US))
        assert served.metric("livekpi_stale_rows_total") == 0


def test_dead_letters_come_once_with_their_bytes() -> None:
    with serving(BASE_US + HOUR_US) as served:
        arrive(served, 1, Record(None, b"\xff"), Record(None, '{"ts": "日"}'.encode()))
        served.compute()
        served.commit()
        served.job_begins_anew()
        served.kill_in(served.commit)
        served.commit()
        with served.cursor() as cursor:
            found = [(letter.partition, letter.position, letter.record, letter.reason, letter.code) for letter in dead_letters.find(cursor)]
        assert found == [("1", 0, b"\xff", "it is none", "invalid"), ("1", 1, '{"ts": "日"}'.encode(), "it is none", "invalid")]
        assert served.metric("livekpi_dead_letters_total", reason="invalid") == 2


def test_what_is_no_row_becomes_a_dead_letter_with_its_place_in_the_topic() -> None:
    with serving(BASE_US + HOUR_US) as served:
        cells = next(topic for topic in served.reading.topics if "cells_" in topic)
        served.shelf.write(cells, b"something else")
        served.shelf.write(cells, None)
        served.shelf.write("shop.progress_shop", b'{"partition": "zero"}')
        arrive(served, 0, event(BASE_US))
        served.compute()
        served.settle()
        assert served.asked(COUNT)[0] == {(BASE_US, ()): 1}
        with served.cursor() as cursor:
            found = {(letter.partition, letter.position, letter.record) for letter in dead_letters.find(cursor, reason="not a row")}
        assert found == {(f"{cells}/0", 0, b"something else"), ("shop.progress_shop/0", 0, b'{"partition": "zero"}')}


def test_series_beyond_the_limit_are_kept_and_said() -> None:
    with capture_logs() as logs, serving(BASE_US + HOUR_US, limits={"series": 2}) as served:
        arrive(served, 0, *(event(BASE_US, country=f"c{number}") for number in range(5)))
        served.compute()
        served.commit()
        served.commit()
        by_country = served.asked(Ask("events", "all", "UTC", ("country",), None, 0))[0]
        assert by_country == {(BASE_US, (f"c{number}",)): 1 for number in range(5)}
        assert served.registry.get_sample_value("livekpi_series", {"kpi": "events"}) == 5
    said = [entry for entry in logs if entry["event"].startswith("more series than") and "events" in entry["kpis"]]
    assert [(entry["series"], entry["limit"]) for entry in said] == [(5, 2)]


def test_dead_letters_can_not_be_fed_back_here() -> None:
    with serving(BASE_US + HOUR_US) as served:
        arrive(served, 0, Record(None, b"{"))
        served.compute()
        served.commit()
        with served.cursor() as cursor:
            [letter] = dead_letters.find(cursor)
        done = served.engine.replay(Replay((letter.number,), {letter.number: make_record(BASE_US, {}).raw}))
        served.commit()
        [(number, why)] = done.result(0).dead
        assert (number, done.result(0).fed) == (letter.number, ())
        assert why == "engine flink counts what the source's topic holds; send the mended record there"
        with served.cursor() as cursor:
            assert len(dead_letters.find(cursor)) == 1


def test_rows_from_before_a_kpi_was_added_have_nothing_of_it() -> None:
    with serving(BASE_US + HOUR_US) as served:
        arrive(served, 0, event(BASE_US, amount=Decimal(5)), event(BASE_US + MINUTE_US, amount=Decimal(7)))
        served.compute()
        topics = {topic: [json.loads(record or b"{}") for record in records] for topic, records in served.shelf.records.items()}
        [sums] = [column for part, column in served.columns("sum") if part is KPIS["revenue"].kpi.parts[0]]
        for topic, rows in topics.items():
            old = [{name: value for name, value in row.items() if name != sums} if row.get("bucket") == BASE_US else row for row in rows]
            served.shelf.records[topic] = [json.dumps(row).encode() for row in old]
        served.commit()
        assert served.asked(COUNT)[0] == {(BASE_US, ()): 2}
        assert served.asked(Ask("revenue", None, "UTC", (), None, BASE_US))[0] == {(BASE_US + MINUTE_US, ()): Decimal(7)}
