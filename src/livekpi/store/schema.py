"""The store's own tables, and how an older store becomes a newer one."""

import duckdb

SCHEMA_VERSION = 1


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
_MIGRATIONS = {0: _VERSION_1}
"""From a version to the statements that lead to the next."""


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Brings the store to this version, a version at a time, each in one transaction; raises StoreError for a newer store."""
    version = _version(connection)
    if version > SCHEMA_VERSION:
        raise StoreError(f"this store has schema version {version}, this livekpi knows {SCHEMA_VERSION}; use a newer livekpi")
    while version < SCHEMA_VERSION:
        connection.execute("BEGIN TRANSACTION")
        for statement in _MIGRATIONS[version]:
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
