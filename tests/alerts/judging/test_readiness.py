"""When buckets can be judged."""

from pathlib import Path

import pytest

from livekpi.alerts.judging.readiness import CAUTION_US, Arrivals, Ready, ready
from livekpi.definition.definition import Definition
from livekpi.query.snapshot import Snapshot
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import MINUTE_US, at, definition, rehearsed, send

NOTIFY = "notify: { am: { alertmanager: { urls: ['http://localhost:9093'] } } }"
KPIS = {"hits": "value: count(*)", "stock": "value: last(n)", "price": "value: max(n)"}


def ruled(rule: str) -> Definition:
    rest = f"alerts:\n  a: {{ {rule}, notify: [am] }}\n{NOTIFY}"
    return definition("n: optional integer", KPIS, source="late: 20m, idle: 1m,", rest=rest)


def ready_now(server: Rehearsal) -> Ready | None:
    with server.cursor() as cursor:
        known, rule = Snapshot(cursor, server.definition), server.definition.rules["a"]
        return ready(rule, server.definition, known, server.desk.arrivals, server.desk._silence, server.clock.now_us())


@pytest.mark.parametrize(
    ("rule", "waited", "silent"),
    [
        ("when: price > 1", "12:03", "12:04"),  # up to the last event's bucket
        ("when: hits > 1", "12:03", "12:09"),  # where nothing comes it is known to be 0
        ("when: price > 1 and hits > 1", "12:03", "12:09"),
        ("when: stock > 1", "12:04", "12:04"),  # a level's open bucket, too
        ("when: stock > 1, clear: stock < 1", "12:04", "12:04"),
        ("when: stock > 1, clear: price < 1", "12:03", "12:04"),
        ("when: hits > 1, clear: stock < 1", "12:03", "12:09"),
        ("when: 'absent(hits, 1m)'", "12:03", "12:09"),  # what does not come can be judged for ever
        ("when: hits > 1, clear: 'absent(hits, 1m)'", "12:03", "12:09"),
    ],
)
def test_up_to_where_is_judged(tmp_path: Path, rule: str, waited: str, silent: str) -> None:
    made = definition(
        "n: optional integer", KPIS, source="late: 20m, idle: 1m,", rest=f"alerts:\n  a: {{ {rule}, notify: [am] }}\n{NOTIFY}"
    )
    with rehearsed(tmp_path, made) as server:
        assert ready_now(server) is None
        for time in ("12:00:30", "12:03:30"):
            server.clock.set_us(at(time))
            send(server, {"n": 1})
        found = ready_now(server)
        assert found is not None
        assert found.until_us == at(waited)
        assert found.over_us == at("12:03")
        assert found.present_us == at("12:03:30")
        server.advance(at("12:09:10"))
        found = ready_now(server)
        assert found is not None
        assert found.until_us == at(silent)
        assert found.over_us == at(silent)
        assert found.share(at("12:03")) == 1.0


def test_what_is_not_known_to_be_in_order_is_waited_for_a_while(tmp_path: Path) -> None:
    made = ruled("when: hits > 1")
    with rehearsed(tmp_path, made) as server:
        waits = {share: server.desk.arrivals.wait_us("s", MINUTE_US, share) for share in (0.99, 1.0)}
        assert waits == {0.99: CAUTION_US, 1.0: CAUTION_US}
        assert server.desk.arrivals.complete("s", MINUTE_US, -MINUTE_US) == 0


def test_lateness_is_learned_by_partition(tmp_path: Path) -> None:
    """Of two partitions one may be behind the other: neither is late for that."""
    made = definition(
        "n: optional integer", KPIS, source="late: 20m, idle: 1m,", rest=f"alerts:\n  a: {{ when: hits > 1, notify: [am] }}\n{NOTIFY}"
    )
    with rehearsed(tmp_path, made, at("13:00:00")) as server:
        for minute in range(20):
            send(server, *[{"ts": f"2026-03-01T12:{minute:02}:10Z"}] * 50, partition=0)
            send(server, *[{"ts": f"2026-03-01T12:{minute + 20:02}:10Z"}] * 50, partition=1)
        assert server.desk.arrivals.wait_us("s", MINUTE_US, 0.99) < CAUTION_US
        late = Arrivals(made)
        late.load(server.desk.arrivals.dump())
        assert late.wait_us("s", MINUTE_US, 0.99) == server.desk.arrivals.wait_us("s", MINUTE_US, 0.99)
        for _ in range(20):
            send(server, *[{"ts": "2026-03-01T12:00:10Z"}] * 50, partition=1)
        assert server.desk.arrivals.wait_us("s", MINUTE_US, 0.99) > 10 * MINUTE_US


def test_buckets_that_are_not_complete(tmp_path: Path) -> None:
    shares = {at("12:04"): 0.9, at("12:03"): 0.99, at("12:02"): 0.99995}
    found = Ready(at("12:05"), at("12:05"), at("12:05"), lambda start_us: shares.get(start_us, 0.5))
    assert found.shares(at("12:05"), MINUTE_US) == {at("12:04"): 0.9, at("12:03"): 0.99}
    with rehearsed(tmp_path, definition("n: optional integer", KPIS)):
        assert len(Ready(0, 0, 0, lambda _: 0.5).shares(10**12, MINUTE_US)) == 999


@pytest.mark.parametrize("rule", ["when: hits > 1", "when: stock > 1", "when: 'absent(hits, 1m)'"])
def test_no_bucket_is_over_before_the_clock_says_so(tmp_path: Path, rule: str) -> None:
    """Whose clock is fast brings nothing forward; and a source that sends is waited for, though its newest event is ahead."""
    level = "stock" in rule
    with rehearsed(tmp_path, ruled(rule)) as server:
        for time, ahead in (("12:00:30", "12:00:30"), ("12:03:00", "12:07:00")):
            server.clock.set_us(at(time))
            send(server, {"ts": f"2026-03-01T{ahead}Z", "n": 1})
        found = ready_now(server)
    assert found is not None
    assert found.over_us == (at("12:03") if level else at("12:02"))
    assert found.until_us == (at("12:04") if level else at("12:02"))
    assert found.present_us == server.clock.now_us()
