"""The store's own tables, and how an older store becomes a newer one."""

from collections.abc import Callable, Iterable, Mapping

import duckdb

from livekpi.store.layout import quote

SCHEMA_VERSION = 7


class StoreError(Exception):
    """The store can't be used; says which, why, and what to do."""


_VERSION_1 = (
    "CREATE TABLE meta (name VARCHAR PRIMARY KEY, value VARCHAR NOT NULL)",
    # Up to when the engine is known to have been watching.
    "CREATE TABLE engine (alive_us BIGINT)",
    "INSERT INTO engine VALUES (0)",
    # How far each partition has been read, and its share in the watermark, by commit: the last counts. Appending costs half of replacing.
    """CREATE TABLE positions (commit BIGINT NOT NULL, source VARCHAR, origin VARCHAR, partition VARCHAR, position BIGINT NOT NULL,
       watermark_us BIGINT, arrived_us BIGINT NOT NULL)""",
    # Each partial kept: `since_us` is the first bucket it is complete from, null where that is the beginning.
    """CREATE TABLE partials (grouping VARCHAR, partial VARCHAR, kind VARCHAR NOT NULL, since_us BIGINT,
       PRIMARY KEY (grouping, partial))""",
    # Which grain a grouping's partials have been rolled up to, and before which time.
    "CREATE TABLE rolled (grouping VARCHAR, grain_us BIGINT, before_us BIGINT NOT NULL, PRIMARY KEY (grouping, grain_us))",
    "CREATE TABLE kpis (name VARCHAR PRIMARY KEY, value VARCHAR NOT NULL, partials VARCHAR[] NOT NULL)",
    "CREATE SEQUENCE dead_letter_number",
    """CREATE TABLE dead_letters (number BIGINT DEFAULT nextval('dead_letter_number'), source VARCHAR, partition VARCHAR, position BIGINT,
       field VARCHAR, code VARCHAR, reason VARCHAR, record BLOB, arrived_us BIGINT, replayed_us BIGINT)""",
)
# What alerts know; livekpi.alerts alone reads and writes it. A series is the JSON list of its dimensions' values.
_VERSION_2 = (
    # How far each rule is judged: up to which bucket's end, up to which all had arrived then, and up to which the buckets were over.
    """CREATE TABLE alert_rules (rule VARCHAR PRIMARY KEY, digest VARCHAR NOT NULL, judged_us BIGINT NOT NULL, whole_us BIGINT NOT NULL,
       over_us BIGINT NOT NULL)""",
    # Each change of a rule's state at a series, so that it can be taken back when a bucket is corrected.
    """CREATE TABLE alert_states (rule VARCHAR, series VARCHAR, at_us BIGINT NOT NULL, phase VARCHAR NOT NULL, since_us BIGINT NOT NULL,
       started_us BIGINT, known_us BIGINT NOT NULL)""",
    # Each firing of a rule at a series. `told` is what the receivers last heard of it, null where nothing.
    """CREATE TABLE alerts (key VARCHAR NOT NULL, rule VARCHAR, meaning VARCHAR NOT NULL, series VARCHAR, started_us BIGINT NOT NULL,
       ends_us BIGINT, told VARCHAR, note VARCHAR NOT NULL, value DOUBLE, judged_at_us BIGINT NOT NULL, ended_at_us BIGINT)""",
    "CREATE SEQUENCE message_number",
    "CREATE TABLE messages (number BIGINT, rule VARCHAR, at_us BIGINT, body VARCHAR NOT NULL)",
    # What each receiver is to be told: `state` is waiting, sent or given_up; `at_us` when it was, or when to try next.
    """CREATE TABLE outbox (receiver VARCHAR, number BIGINT, state VARCHAR NOT NULL, attempts BIGINT NOT NULL, at_us BIGINT NOT NULL,
       reason VARCHAR)""",
    # What people say: alerts that are not to be told for a time, and alerts that somebody looks after.
    # `slices` is a JSON object of dimensions.
    "CREATE SEQUENCE word_number",
    """CREATE TABLE silences (number BIGINT, rule VARCHAR, slices VARCHAR NOT NULL, author VARCHAR NOT NULL, reason VARCHAR NOT NULL,
       from_us BIGINT NOT NULL, until_us BIGINT NOT NULL)""",
    """CREATE TABLE acknowledgements (number BIGINT, rule VARCHAR NOT NULL, slices VARCHAR NOT NULL, author VARCHAR NOT NULL,
       reason VARCHAR NOT NULL, from_us BIGINT NOT NULL, until_us BIGINT NOT NULL)""",
    # What series usually are: learners' states (livekpi.insight.expectation), and what was expected of each bucket.
    "CREATE TABLE learners (subject VARCHAR, meaning VARCHAR NOT NULL, until_us BIGINT NOT NULL, series VARCHAR, state BLOB NOT NULL)",
    "CREATE TABLE bands (subject VARCHAR, series VARCHAR, start_us BIGINT NOT NULL, expected DOUBLE, low DOUBLE, high DOUBLE)",
    # How late each source's events come, as livekpi.insight.lateness writes it.
    "CREATE TABLE lateness (source VARCHAR PRIMARY KEY, state BLOB NOT NULL)",
)
# What people note on the time axis; livekpi.store.annotations alone reads and writes it.
_VERSION_3 = (
    "CREATE SEQUENCE annotation_number",
    """CREATE TABLE annotations (number BIGINT DEFAULT nextval('annotation_number'), at_us BIGINT NOT NULL, end_us BIGINT,
       text VARCHAR NOT NULL, kind VARCHAR NOT NULL, kpis VARCHAR[] NOT NULL, author VARCHAR NOT NULL, link VARCHAR)""",
)
# To whom it was told that an alert fires, under which key, and of which acknowledgement they heard (livekpi.alerts.ledger).
_VERSION_4 = (
    "ALTER TABLE alerts ADD COLUMN told_to VARCHAR[] DEFAULT []",
    "ALTER TABLE alerts ADD COLUMN incident VARCHAR",
    "ALTER TABLE alerts ADD COLUMN acknowledgement BIGINT",
    """UPDATE alerts SET told_to = coalesce((SELECT list(DISTINCT receiver) FROM outbox JOIN messages USING (number)
       WHERE messages.rule = alerts.rule), []) WHERE told IS NOT NULL""",
    """UPDATE alerts SET incident = (SELECT last(body->>'key' ORDER BY number) FROM messages WHERE messages.rule = alerts.rule)
       WHERE told IS NOT NULL""",
)
# The header that a dead letter in CSV stands under.
_VERSION_5 = ("ALTER TABLE dead_letters ADD COLUMN columns VARCHAR[]",)


def _version_6(connection: duckdb.DuckDBPyConnection) -> Iterable[str]:
    """Rows of cells note when they were corrected (livekpi.store.corrections)."""
    found = connection.execute("SELECT table_name FROM duckdb_tables() WHERE starts_with(table_name, 'cells_')").fetchall()
    for (name,) in found:
        yield f"ALTER TABLE {quote(name)} ADD COLUMN corrected_final_us BIGINT"
        yield f"ALTER TABLE {quote(name)} ADD COLUMN corrected_at_us BIGINT"


# Up to when each source is known to have been silent; livekpi.alerts.judging.silence alone reads and writes it.
_VERSION_7 = ("CREATE TABLE quiet (source VARCHAR PRIMARY KEY, origin VARCHAR NOT NULL, until_us BIGINT NOT NULL)",)
_Migration = Iterable[str] | Callable[[duckdb.DuckDBPyConnection], Iterable[str]]
_MIGRATIONS: Mapping[int, _Migration] = {
    0: _VERSION_1,
    1: _VERSION_2,
    2: _VERSION_3,
    3: _VERSION_4,
    4: _VERSION_5,
    5: _version_6,
    6: _VERSION_7,
}
"""From a version to the statements that lead to the next, or what makes them of what is there."""


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Brings the store to this version, a version at a time, each in one transaction; raises StoreError for a newer store."""
    version = _version(connection)
    if version > SCHEMA_VERSION:
        raise StoreError(f"this store has schema version {version}, this livekpi knows {SCHEMA_VERSION}; use a newer livekpi")
    while version < SCHEMA_VERSION:
        connection.execute("BEGIN TRANSACTION")
        migration = _MIGRATIONS[version]
        for statement in migration(connection) if callable(migration) else migration:
            connection.execute(statement)
        version += 1
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('schema_version', ?)", [str(version)])
        connection.execute("COMMIT")


def _version(connection: duckdb.DuckDBPyConnection) -> int:
    tables = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'meta'").fetchone()
    if tables is None or tables[0] == 0:
        return 0
    row = connection.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone()
    return int(row[0]) if row else 0
