"""What the table knows, from what the server says."""

from livekpi.top.board import BUCKETS, Line, parse_time_us

T = parse_time_us("2026-01-01T10:00:00Z")
S = 1_000_000


def point(second: int, value: object, *, final: bool = False) -> dict[str, object]:
    return {"time": f"2026-01-01T10:{second // 60:02}:{second % 60:02}Z", "value": value, "final": final}


def line(*points: dict[str, object], now_us: int = T) -> Line:
    made = Line("orders", "Orders", None, "up", 10 * S)
    made.update(points, now_us)
    return made


def test_the_newest_bucket_that_is_over_is_shown() -> None:
    orders = line(point(0, 5), point(10, 7), point(20, 1))
    assert orders.shown(T + 25 * S) == T + 10 * S
    assert orders.shown(T + 30 * S) == T + 20 * S


def test_an_open_bucket_is_shown_where_there_is_no_other() -> None:
    assert line(point(0, 5)).shown(T + 3 * S) == T
    assert line().shown(T) is None


def test_a_correction_takes_the_place_of_what_was_there() -> None:
    orders = line(point(0, 5), point(10, 7))
    orders.update([point(0, 6, final=True)], T + 60 * S)
    assert orders.last_buckets(T + 15 * S)[-2:] == [6, 7]
    assert orders.points[T].final


def test_age_counts_from_the_last_change_of_a_number() -> None:
    orders = line(point(0, 5), now_us=T + 500 * S)
    assert orders.changed_us == T + 10 * S
    orders.update([point(0, 5, final=True)], T + 600 * S)
    assert orders.changed_us == T + 10 * S
    orders.update([point(0, 6)], T + 700 * S)
    assert orders.changed_us == T + 700 * S


def test_buckets_without_a_point_are_gaps() -> None:
    values = line(point(0, 5), point(20, 7)).last_buckets(T + 25 * S)
    assert len(values) == BUCKETS
    assert values[-3:] == [5, None, 7]
    assert set(values[:-3]) == {None}


def test_of_a_series_that_is_silent_the_last_buckets_are_those_it_had() -> None:
    orders = line(point(0, 5), point(10, 7))
    assert orders.last_buckets(T + 309 * S)[0] == 7
    assert orders.last_buckets(T + 310 * S)[-2:] == [5, 7]


def test_points_that_no_table_shows_any_more_are_forgotten() -> None:
    orders = line()
    for second in range(0, 3600, 10):
        orders.update([point(second, second)], T + second * S)
    assert len(orders.points) <= BUCKETS + 1


def test_what_is_no_number_is_shown_and_not_drawn() -> None:
    assert line(point(0, "open")).last_buckets(T)[-1] is None
