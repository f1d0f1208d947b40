import pytest

from tests.definition.places import KPIS, SOURCE, assert_problems


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("orders: { value: §5, every: 1m }", "got `5`, expected text; put it in quotes"),
        ("orders: { value: §[count(*)], every: 1m }", "got a list, expected text"),
        ("orders: { value: count(*), every: §soon }", "got `soon`, expected a duration such as 10s, 5m, 1h30m or 2d"),
        ("orders: { value: count(*), every: §60 }", "got `60`, expected a duration such as 10s"),
        (
            "orders: { value: count(*), every: §7s }",
            "got `7s`, expected a bucket of at least 1s that divides a day, such as 10s, 1m, 15m or 1h",
        ),
        ("orders: { value: count(*), every: §500ms }", "got `500ms`, expected a bucket of at least 1s"),
        ("orders: { value: count(*), every: §2d }", "got `2d`, expected a bucket of at least 1s"),
        ("orders: { value: count(*), every: 1m, by: §country }", "got `country`, expected a list, such as [one, two]"),
        ("orders: { value: count(*), every: 1m, by: [country, §7] }", "got `7`, expected text; put it in quotes"),
        ("orders: { value: count(*), every: 1m, good: §upp }", "got `upp`, expected 'up' or 'down'; did you mean 'up'?"),
        ("orders: { value: count(*), every: 1m, §untl: EUR }", "there is no key 'untl' here; did you mean 'unit'?"),
        (
            "orders: { value: count(*), every: 1m, §xyz: EUR }",
            "there is no key 'xyz' here; expected one of value, source, every, over, by, title, description, owner, unit, good, target",
        ),
        ("§orders: { every: 1m }", "'value' is missing: SQL aggregates over a source's fields, or arithmetic over other KPIs."),
        ("orders: §count(*)", "got `count(*)`, expected `key: value` pairs"),
        (
            "§my-orders: { value: count(*), every: 1m }",
            "got 'my-orders', expected a name of letters, digits and _ that does not start with a digit",
        ),
        (f"§{'x' * 65}: {{ value: count(*), every: 1m }}", f"got '{'x' * 65}', expected at most 64 characters"),
    ],
)
def test_a_wrong_kpi(given: str, message: str) -> None:
    assert_problems(f"{SOURCE}kpis:\n  {given}\n", message)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{ 1d: §much }", "got `much`, expected a number"),
        ("{ §1x: 5 }", "got '1x', expected a duration such as 10s"),
        ("{ §0s: 5 }", "got '0s', expected a part of a day, or whole days or weeks"),
        ("{ §36h: 5 }", "got '36h', expected a part of a day, or whole days or weeks"),
        ("{ §7h: 5 }", "got '7h', expected a part of a day, or whole days or weeks"),
        (
            "{ 1d: 5, timezone: §Europe/Berln }",
            "got `Europe/Berln`, expected a time zone's name such as Europe/Berlin or UTC; did you mean 'Europe/Berlin'?",
        ),
        ("{}", "expected a period and what to reach in it, such as 1d: 50000"),
        ("§50000", "got `50000`, expected `key: value` pairs"),
        ("[]", "expected at least one"),
        ("[{ from: §soon, to: 2026-02-01, value: 5 }]", "got `soon`, expected a date such as 2026-01-31, or one with a time"),
        ("[§{ from: 2026-01-01, to: 2026-02-01 }]", "'value' is missing: What should be reached."),
        ("[§{ from: 2026-02-01, to: 2026-01-01, value: 5 }]", "expected a `from` before the `to`"),
        ("[{ from: 2026-01-01, to: 2026-02-01, value: 5, §timezon: UTC }]", "there is no key 'timezon' here; did you mean 'timezone'?"),
    ],
)
def test_a_wrong_target(given: str, message: str) -> None:
    mark = "" if "§" in given else "§"  # what is wrong with the whole is shown at its key
    assert_problems(f"{SOURCE}kpis:\n  orders: {{ value: count(*), every: 1m, {mark}target: {given} }}\n", message)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{ time: ts, fields: { ts: timestamp } }", "expected exactly one of kafka, http, file, stdin"),
        ("{ http: {}, stdin: {}, time: ts, fields: { ts: timestamp } }", "expected exactly one of kafka, http, file, stdin"),
        ("{ kafka: { brokers: §'', topic: t }, time: ts, fields: { ts: timestamp } }", "got nothing, expected some text"),
        ("{ http: { max_body_mib: §many }, time: ts, fields: { ts: timestamp } }", "got `many`, expected a whole number"),
        ("{ http: { max_body_mib: §1.5 }, time: ts, fields: { ts: timestamp } }", "got `1.5`, expected a whole number"),
        ("{ http: { max_body_mib: §0 }, time: ts, fields: { ts: timestamp } }", "got `0`, expected at least 1"),
        ("{ http: { max_body_mib: §2000 }, time: ts, fields: { ts: timestamp } }", "got `2000`, expected at most 1024"),
        ("{ file: { path: x, follow: §maybe }, time: ts, fields: { ts: timestamp } }", "got `maybe`, expected true or false"),
        (
            "{ file: { path: x, format: §jsn }, time: ts, fields: { ts: timestamp } }",
            "got `jsn`, expected 'ndjson', 'csv', 'combined', 'common' or 'regex'; did",
        ),
        (
            "{ §file: { path: x, format: regex }, time: ts, fields: { ts: timestamp } }",
            "expected `regex` together with `format: regex`, and only then",
        ),
        (
            "{ file: { path: x, format: regex, regex: §'(' }, time: ts, fields: { ts: timestamp } }",
            "got `(`, expected a regular expression: missing ), unterminated subpattern at position 0",
        ),
        (
            "{ file: { path: x, format: regex, regex: §'.*' }, time: ts, fields: { ts: timestamp } }",
            "got `.*`, expected a regular expression with named",
        ),
        (
            "{ file: { path: x, format: csv, delimiter: §':' }, time: ts, fields: { ts: timestamp } }",
            "got `:`, expected ',', ';', '\\t' or '|'",
        ),
        ("{ §file: { path: x, delimiter: ';' }, time: ts, fields: { ts: timestamp } }", "expected `delimiter` together with `format: csv`"),
        ("{ §stdin: { delimiter: ';' }, time: ts, fields: { ts: timestamp } }", "expected `delimiter` together with `format: csv`"),
        ("{ http: {}, time: ts, fields: { ts: timestamp, n: §float } }", "got `float`, expected string, integer"),
    ],
)
def test_a_wrong_source(given: str, message: str) -> None:
    mark = "" if "§" in given else "§"  # what is wrong with the whole is shown at its key
    assert_problems(f"sources:\n  {mark}shop: {given}\nkpis: {{ orders: {{ value: count(*), every: 1m, source: shop }} }}\n", message)


def test_a_missing_section() -> None:
    assert_problems(f"§{SOURCE}", "'kpis' is missing: The numbers to watch, by name.")
    assert_problems(f"{SOURCE}§kpis:\n  # orders: { {} }\n", "'kpis' is missing: The numbers to watch, by name.")
    assert_problems(f"sources: §{{}}\n{KPIS}".replace("sources: §", "§sources: "), "expected at least one")
    assert_problems("§- a\n", "got a list, expected `key: value` pairs")


@pytest.mark.parametrize("given", ["alerts:\nnotify:\n", "limits: {}\n", "keep:\n", "alerts: ~\n"])
def test_a_section_with_nothing_in_it_counts_as_not_given(given: str) -> None:
    assert_problems(SOURCE + KPIS + given)


@pytest.mark.parametrize("kind", ["http:", "stdin:", "http: ~"])
def test_a_kind_of_source_may_be_left_empty(kind: str) -> None:
    assert_problems(f"sources:\n  shop:\n    {kind}\n    time: ts\n    fields: {{ ts: timestamp, country: string }}\n{KPIS}")


def test_a_wrong_kind_of_source_hides_no_mistakes_of_its_kpis() -> None:
    assert_problems(
        f"{SOURCE.replace('http: {}', '§kafak: {}')}kpis: {{ users: {{ value: count(distinct §usr), every: 1m }} }}\n",
        "there is no key 'kafak' here; did you mean 'kafka'?",
        "there is no field 'usr'; did you mean 'user'?",
    )


def test_what_follows_from_a_mistake_is_not_reported() -> None:
    assert_problems(
        f"""{SOURCE.replace("event: string", "event: §sting")}kpis:
  orders: {{ value: count(*) filter (where event = 'order'), every: 1m }}
  odd: {{ value: event, every: 1m }}
  double: {{ value: 2 * orders }}
  §users: {{ every: 1m }}
  users_an_order: {{ value: users / orders }}
alerts: {{ low: {{ when: users < 5, by: [country], notify: [desk] }} }}
notify: {{ desk: {{ §pigeon: {{}} }} }}
""",
        "got `sting`",
        "'value' is missing",
        "there is no key 'pigeon' here",
    )


def test_a_mistake_hides_no_other_in_the_same_kpi() -> None:
    assert_problems(
        f"""{SOURCE}kpis:
  §users: {{ }}
  orders: {{ value: count(*) filter (where §evnt = 'order'), every: 1m, by: [country, §county] }}
  share: {{ value: orders / §ordrs / users, by: [§contry] }}
""",
        "'value' is missing",
        "there is no field 'evnt'; did you mean 'event'?",
        "there is no field 'county'; did you mean 'country'?",
        "there is no KPI 'ordrs'; did you mean 'orders'?",
        "there is no field 'contry'; did you mean 'country'?",
    )


def test_a_secret_is_not_shown() -> None:
    assert_problems(
        f'{SOURCE}kpis: {{ orders: {{ value: count(*), every: §"${{SECRET}}" }} }}\n',
        "got `${SECRET}`, expected a duration",
        environ={"SECRET": "hunter2"},
    )


def test_a_long_value_is_cut() -> None:
    assert_problems(f"{SOURCE}kpis: {{ orders: {{ value: count(*), every: §{'x' * 90} }} }}\n", f"got `{'x' * 57}…`, expected")


def test_numbers_and_switches_may_come_from_variables() -> None:
    text = SOURCE.replace("http: {}", 'file: { path: x, follow: "${FOLLOW}" }')
    assert_problems(f'{text}{KPIS}limits: {{ series: "${{N:-5}}" }}\nkeep: {{ 10s: "${{KEEP:-1d}}" }}\n', environ={"FOLLOW": "true"})


def test_an_answer_may_take_some_time() -> None:
    assert_problems(f"{SOURCE}{KPIS}limits: {{ query_time: §0s }}\n", "got `0s`, expected a duration longer than that, such as 10s")
