"""plan, status, stop and check of a definition on a cluster."""

import json
import sys
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from livekpi import clustered, jobs
from livekpi.cli import main
from livekpi.clock import ManualClock, SystemClock
from livekpi.clustered import JOB
from livekpi.definition.load import parse_definition
from livekpi.engine.supervision import Stopped, note_stopped, stopped_in
from livekpi.store import catalog
from livekpi.store.database import Store
from livekpi.store.schema import StoreError
from tests.clusters import shop
from tests.clusters.served import Served
from tests.engine.test_supervision import FakeCluster


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    made = FakeCluster()
    made.condition = "running"
    monkeypatch.setattr(jobs, "open_cluster", lambda *_: made)
    monkeypatch.setattr(jobs, "problems", lambda _: [])
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(shop.text())
    return path


def livekpi(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def test_plan_prints_what_the_cluster_would_run(file: Path, cluster: FakeCluster) -> None:
    assert livekpi("plan", file).output == "nothing"


def test_plan_of_the_embedded_engine_is_sql_that_runs(file: Path) -> None:
    done = livekpi("plan", file, "--engine", "embedded")
    assert done.exit_code == 0, done.output
    statements = [line for line in done.output.splitlines() if not line.startswith("--")]
    fields = "ts TIMESTAMP, country VARCHAR, tier BIGINT, vip BOOLEAN, amount DECIMAL(18, 2), quantity BIGINT, weight DOUBLE"
    own = "_time TIMESTAMP, _position BIGINT, " + ", ".join(f"_bucket_{size}000000 TIMESTAMP" for size in (60, 900, 3600))
    with duckdb.connect() as connection:
        connection.execute(f'CREATE TABLE events ({fields}, "user" VARCHAR, cart VARCHAR, {own})')
        for statement in statements:
            connection.execute(statement)
    assert len(statements) == len(done.output.splitlines()) / 2 > 5


@pytest.mark.parametrize(
    ("kind", "engine", "said"),
    [
        ("kafka", "spark", "engine spark needs `checkpoint`; give `engine: { spark: … }` in "),
        ("http", "flink", "engine flink reads Kafka only; source shop of "),
    ],
)
def test_plan_for_an_engine_that_the_file_has_not_what_it_needs_for(file: Path, kind: str, engine: str, said: str) -> None:
    definition = json.loads(shop.text(engine="embedded"))
    if kind == "http":
        definition["sources"]["shop"]["http"] = definition["sources"]["shop"].pop("kafka") and {}
    file.write_text(json.dumps(definition))
    done = livekpi("plan", file, "--engine", engine)
    assert (done.exit_code, done.output.startswith(f"livekpi: {said}")) == (1, True), done.output


def test_status_says_how_the_job_is(file: Path, cluster: FakeCluster) -> None:
    assert livekpi("status", file).output.splitlines() == [
        "engine: flink",
        "job: shop",
        "job id: 7",
        "state: running",
        "restarts: 3",
        "last checkpoint: 1970-01-01T00:00:05Z",
        "server: does not run",
    ]
    cluster.condition, cluster.detail = "failed", "out of memory"
    found = json.loads(livekpi("status", file, "--format", "json").output)
    assert (found["state"], found["detail"], found["server"]) == ("failed", "out of memory", None)
    cluster.error = "nobody listens"
    done = livekpi("status", file)
    assert (done.exit_code, done.output) == (1, "livekpi: nobody listens\n")


def test_status_of_the_embedded_engine_has_no_job(file: Path) -> None:
    file.write_text(shop.text(engine="embedded"))
    assert livekpi("status", file).output == "engine: embedded\nserver: does not run\n"


def test_stop_keeps_where_the_job_goes_on(file: Path, cluster: FakeCluster) -> None:
    kept = file.parent / ".livekpi" / JOB
    assert livekpi("stop", file, "--savepoint").output == "/savepoint\n"
    assert (stopped_in(kept), cluster.condition) == (Stopped("/savepoint"), "missing")
    assert "state: stopped\nrestarts: 3\nlast checkpoint: 1970-01-01T00:00:05Z\nsavepoint: /savepoint\n" in livekpi("status", file).output
    assert livekpi("stop", file).output == ""
    assert stopped_in(kept) == Stopped()


def test_a_stop_that_failed_leaves_the_job_to_who_watches_it(file: Path, cluster: FakeCluster) -> None:
    kept = file.parent / ".livekpi" / JOB
    cluster.stops = False
    done = livekpi("stop", file)
    assert (done.exit_code, done.output) == (1, "livekpi: it can't be stopped\n")
    assert stopped_in(kept) is None
    note_stopped(kept, Stopped("/before"))
    livekpi("stop", file)
    assert stopped_in(kept) == Stopped("/before")


def test_the_embedded_engine_has_no_job_to_stop(file: Path) -> None:
    file.write_text(shop.text(engine="embedded"))
    done = livekpi("stop", file)
    assert done.exit_code == 1
    assert done.output.endswith("runs on livekpi's own engine, and has no job; `engine` names another\n")


def test_check_says_what_an_engine_can_not_do(file: Path) -> None:
    definition = json.loads(shop.text(engine={"spark": {"checkpoint": "file:///tmp/shop"}}))
    source = definition["sources"]["shop"]
    source["id"], source["fields"]["name"] = "name", "string"
    file.write_text(json.dumps(definition))
    done = livekpi("check", file)
    assert done.exit_code == 3
    assert "engine spark, source shop: `id: name`" in done.output
    assert livekpi("run", file, "--once").exit_code == 3


@pytest.mark.parametrize("engine", [{"flink": {}}, {"spark": {"checkpoint": "file:///tmp/shop"}}])
def test_check_says_what_a_change_drops_and_of_nothing_else(tmp_path: Path, engine: object) -> None:
    """What did not change keeps its state on either."""
    file = tmp_path / "shop.yaml"
    definition = json.loads(shop.text(engine=engine))
    file.write_text(json.dumps(definition))
    served = Served(tmp_path / "data", ManualClock(0), parse_definition(file.read_bytes(), file, {}), job=False)
    served.store.close()
    assert "no longer defined" not in livekpi("check", file, "--data", tmp_path / "data" / "0").output
    del definition["kpis"]["least"]
    file.write_text(json.dumps(definition))
    [said] = [line for line in livekpi("check", file, "--data", tmp_path / "data" / "0").output.splitlines() if "warning" in line]
    assert "least is no longer defined: its numbers are dropped" in said


def test_a_data_directory_belongs_to_the_engine_that_filled_it(tmp_path: Path) -> None:
    store = Store.open(tmp_path, SystemClock())
    try:
        with store.transaction() as cursor:
            catalog.claim(cursor, "flink")
            catalog.claim(cursor, "flink")
            with pytest.raises(StoreError, match="filled by engine flink, and engine embedded can't go on"):
                catalog.claim(cursor, "embedded")
    finally:
        store.close()


def test_a_store_from_before_there_were_engines_is_the_embedded_ones(tmp_path: Path) -> None:
    store = Store.open(tmp_path, SystemClock())
    try:
        with store.transaction() as cursor:
            cursor.execute("INSERT INTO meta VALUES ('definition', 'x')")
            with pytest.raises(StoreError, match="filled by engine embedded"):
                catalog.claim(cursor, "flink")
            catalog.claim(cursor, "embedded")
    finally:
        store.close()


def test_a_missing_extra_is_named(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    for name in ("kafka_consumer", "kafka_admin"):  # as if no other test had needed them yet
        monkeypatch.delitem(sys.modules, f"livekpi.sources.{name}", raising=False)
        monkeypatch.delattr(f"livekpi.sources.{name}", raising=False)
    monkeypatch.setattr(clustered, "problems", lambda _: [])
    monkeypatch.setattr("livekpi.run.engine_problems", lambda _: [])
    done = livekpi("run", file, "--once", "--data", tmp_path / "data")
    assert done.exit_code == 1
    assert "pip install 'livekpi[kafka]'" in done.output
