"""What is known of a driver, also by who did not start it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from livekpi.definition.load import parse_definition
from livekpi.engine.cluster import ClusterError
from livekpi.engine.spark.cluster import SparkCluster
from livekpi.engine.spark.description import Description, DescriptionError

TEXT = """
sources: { shop: { kafka: { brokers: "${BROKERS:-x:1}", topic: t }, time: ts, fields: { ts: timestamp } } }
kpis: { events: { value: count(*), every: 1m } }
engine: { spark: { master: "spark://m:7077", checkpoint: "file:///somewhere/", topics: shop } }
"""


FULL = """
sources:
  shop:
    kafka: { brokers: "${BROKERS:-x:1}", topic: t, settings: { sasl.username: me, sasl.password: "${PASSWORD:-none}" } }
    time: ts
    ahead: 5m
    fields: { ts: timestamp, n: integer, country: string }
kpis:
  events: { value: "count(*) filter (where country = '${COUNTRY:-DE}')", every: 1m, title: Events }
alerts: { many: { when: events > 1, severity: info } }
keep: { 1m: 7d }
engine: { spark: { master: "spark://m:7077", checkpoint: "file:///somewhere/", topics: shop, client: { client.id: "${ID:-a}" } } }
"""


def cluster(
    tmp_path: Path,
    text: str = TEXT,
    directory: Path | None = None,
    variables: Mapping[str, str] | None = None,
    *,
    file: Path | None = None,
    once: bool = False,
) -> SparkCluster:
    definition = parse_definition(text.encode(), file or tmp_path / "shop.yaml", variables or {})
    assert definition.spec.engine.spark is not None
    environ = {"PATH": os.environ["PATH"]}
    return SparkCluster(definition, definition.spec.engine.spark, directory or tmp_path, once=once, environ=environ)


@contextmanager
def process_of(job: Path, directory: Path | None = None) -> Iterator[psutil.Process]:
    """A process that looks like the driver of a job, of which it was told from a directory."""
    program = "import sys; print(1, flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program, "-m", "livekpi.engine.spark.job", str(job)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=directory) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield psutil.Process(process.pid)
        process.kill()


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[psutil.Process]:
    """A process that looks like the job's driver."""
    with process_of(tmp_path / "job.json") as process:
        yield process


def drive(tmp_path: Path, own: SparkCluster, process: psutil.Process, status: dict[str, Any] | None) -> None:
    """Leaves what a driver leaves."""
    (tmp_path / "job.json").write_text(own.description.text())
    (tmp_path / "driver.json").write_text(json.dumps({"pid": process.pid}))
    if status is not None:
        (tmp_path / "status.json").write_text(json.dumps(status))


def test_no_driver_is_missing(tmp_path: Path) -> None:
    assert cluster(tmp_path).state().state == "missing"
    assert cluster(tmp_path).stop(savepoint=True) == "file:///somewhere"


def test_a_driver_is_found_again(tmp_path: Path, driver: psutil.Process) -> None:
    own = cluster(tmp_path)
    drive(tmp_path, own, driver, None)
    assert (own.state().state, own.state().job_id) == ("starting", str(driver.pid))
    sources = {"shop": {"batch": 3, "at": "2026-03-01T12:00:00.000Z", "forgotten": 2}}
    drive(tmp_path, own, driver, {"state": "running", "sources": sources})
    state = own.state()
    assert (state.state, state.last_checkpoint_us) == ("running", 1_772_366_400_000_000)
    assert state.detail == "shop: 2 rows of the last batch came too late to be merged"
    drive(tmp_path, own, driver, {"state": "running", "sources": sources, "detail": "it says so"})
    assert own.state().detail == "it says so; shop: 2 rows of the last batch came too late to be merged"


def test_a_driver_is_found_by_a_clock_that_was_set(tmp_path: Path, driver: psutil.Process) -> None:
    """By which it began at another time than it was told to have; before, that was kept of it, and it was thought to have ended."""
    own = cluster(tmp_path)
    drive(tmp_path, own, driver, {"state": "running"})
    (tmp_path / "driver.json").write_text(json.dumps({"pid": driver.pid, "begun": driver.create_time() - 3_600}))
    assert own.state().state == "running"


def test_a_driver_is_found_from_another_directory(tmp_path: Path, driver: psutil.Process, monkeypatch: pytest.MonkeyPatch) -> None:
    drive(tmp_path, cluster(tmp_path), driver, {"state": "running"})
    monkeypatch.chdir(tmp_path)
    assert cluster(tmp_path, directory=Path()).state().job_id == str(driver.pid)


def test_a_driver_is_found_through_a_link(tmp_path: Path) -> None:
    """And ended: another beside it would write to the same checkpoint."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with process_of(tmp_path / "real" / "job.json") as driver:
        drive(tmp_path / "real", cluster(tmp_path, directory=tmp_path / "real"), driver, {"state": "running"})
        own = cluster(tmp_path, directory=tmp_path / "link")
        assert (own.state().state, own.state().job_id) == ("running", str(driver.pid))
        own.stop(savepoint=False)
        assert not driver.is_running() or driver.status() == psutil.STATUS_ZOMBIE


def test_a_driver_is_found_by_a_path_that_was_relative_to_its_directory(tmp_path: Path) -> None:
    with process_of(Path("job.json"), tmp_path) as driver:
        drive(tmp_path, cluster(tmp_path), driver, {"state": "running"})
        assert cluster(tmp_path).state().job_id == str(driver.pid)


def test_the_driver_of_another_job_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "another").mkdir()
    (tmp_path / "another" / "job.json").touch()
    with process_of(tmp_path / "another" / "job.json") as driver:
        drive(tmp_path, cluster(tmp_path), driver, {"state": "running"})
        assert cluster(tmp_path).state().state == "failed"


@pytest.mark.parametrize("text", ["", '{"pi', "[]", "{}", '{"pid": null}', "\0\0"])
def test_a_torn_file_says_nothing_of_a_driver(tmp_path: Path, driver: psutil.Process, text: str) -> None:
    own = cluster(tmp_path)
    drive(tmp_path, own, driver, None)
    for name in ("driver.json", "status.json"):
        (tmp_path / name).write_text(text)
    assert own.state().state == "failed"
    own.stop(savepoint=False)
    assert driver.is_running()


def test_a_driver_of_another_definition_is_outdated(tmp_path: Path, driver: psutil.Process) -> None:
    drive(tmp_path, cluster(tmp_path), driver, {"state": "running", "sources": {}})
    assert cluster(tmp_path, TEXT.replace("1m", "1h")).state().state == "outdated"


@pytest.mark.parametrize("variable", ["BROKERS", "PASSWORD", "COUNTRY", "ID"])
def test_a_driver_is_outdated_by_another_value_of_a_variable(tmp_path: Path, driver: psutil.Process, variable: str) -> None:
    """Which the file's text does not have."""
    drive(tmp_path, cluster(tmp_path, FULL), driver, {"state": "running"})
    assert cluster(tmp_path, FULL).state().state == "running"
    assert cluster(tmp_path, FULL, variables={variable: "secret"}).state().state == "outdated"
    assert "secret" not in cluster(tmp_path, FULL, variables={variable: "secret"}).description.text()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("topic: t,", "topic: u,"),
        ("topic: t,", "topic: t, start: latest,"),
        ("topic: t,", "topic: t, lost: stop,"),
        ("ahead: 5m", "ahead: 6m"),
        ("n: integer", "n: number"),
        ("n: integer, country: string", "country: string, n: integer"),
        ("every: 1m", "every: 1m, by: [n]"),
        ("count(*)", "sum(n)"),
        ("count(*)", "quantile(n, 0.5)"),
        ("7d", "8d"),
        ("m:7077", "n:7077"),
        ("somewhere", "elsewhere"),
        ("topics: shop", "topics: shops"),
        ("client: {", 'brokers: "z:1", client: {'),
        ("client: {", "settings: { spark.executor.memory: 4g }, client: {"),
    ],
)
def test_a_driver_is_outdated_by_what_it_would_do_otherwise(tmp_path: Path, driver: psutil.Process, before: str, after: str) -> None:
    drive(tmp_path, cluster(tmp_path, FULL), driver, {"state": "running"})
    assert before in FULL
    assert cluster(tmp_path, FULL.replace(before, after)).state().state == "outdated"


def test_a_driver_that_would_end_is_no_driver_that_goes_on(tmp_path: Path, driver: psutil.Process) -> None:
    drive(tmp_path, cluster(tmp_path, once=True), driver, {"state": "running"})
    assert cluster(tmp_path).state().state == "outdated"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("kpis:", "# what is shown\nkpis:"),
        ("alerts:", "dashboards: { main: { rows: [{ tiles: [events] }] } }\nalerts:"),
        ("events > 1", "events > 2"),
        ("title: Events", "title: All"),
        ("ahead: 5m", "ahead: 300s\n    late: 2h"),
        ("client: {", "partitions: 3, settle: 9s, client: {"),
    ],
)
def test_a_driver_stays_where_it_would_do_the_same(tmp_path: Path, driver: psutil.Process, before: str, after: str) -> None:
    drive(tmp_path, cluster(tmp_path, FULL), driver, {"state": "running"})
    assert before in FULL
    own = cluster(tmp_path, FULL.replace(before, after))
    assert own.state().state == "running"
    own.submit()
    assert own.state().job_id == str(driver.pid)


def test_a_driver_stays_by_another_spelling_of_its_files(tmp_path: Path, driver: psutil.Process, monkeypatch: pytest.MonkeyPatch) -> None:
    drive(tmp_path, cluster(tmp_path), driver, {"state": "running"})
    monkeypatch.chdir(tmp_path)
    own = cluster(tmp_path, directory=Path(), file=Path("shop.yaml"))
    assert own.state().state == "running"
    assert own.description == cluster(tmp_path).description
    assert cluster(tmp_path, file=tmp_path / "another.yaml").state().state == "running"  # of the same topics


def test_what_a_driver_was_told_before_it_was_kept_what_that_means_is_unknown(tmp_path: Path, driver: psutil.Process) -> None:
    own = cluster(tmp_path)
    drive(tmp_path, own, driver, {"state": "running"})
    (tmp_path / "job.json").write_text(own.render())
    assert own.state().state == "outdated"


@pytest.mark.parametrize(
    ("status", "state", "detail"),
    [
        ({"state": "finished"}, "finished", None),
        ({"state": "missing"}, "missing", None),
        ({"state": "failed", "detail": "no broker"}, "failed", "no broker"),
        ({"state": "running"}, "failed", "the driver ended: java.lang.Error: boom"),
        (None, "failed", "the driver ended: java.lang.Error: boom"),
    ],
)
def test_a_driver_that_ended(tmp_path: Path, status: dict[str, Any] | None, state: str, detail: str | None) -> None:
    own = cluster(tmp_path)
    gone = psutil.Popen([sys.executable, "-c", ""])
    gone.wait(30)
    (tmp_path / "driver.json").write_text(json.dumps({"pid": gone.pid}))
    (tmp_path / "driver.log").write_text("more\njava.lang.Error: boom\n")
    if status is not None:
        (tmp_path / "status.json").write_text(json.dumps(status))
    assert own.state().state == state
    assert (own.state().detail or "").partition(" (see ")[0] == (detail or "")


def test_another_process_of_the_same_number_is_no_driver(tmp_path: Path) -> None:
    own = cluster(tmp_path)
    drive(tmp_path, own, psutil.Process(), {"state": "running"})
    assert own.state().state == "failed"
    own.stop(savepoint=False)  # and is not ended


def test_spark_goes_on_from_its_checkpoint_only(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="can't from file:///elsewhere"):
        cluster(tmp_path).submit("file:///elsewhere")


def test_it_is_counted_how_often_a_driver_that_failed_was_started_again(tmp_path: Path) -> None:
    definition = parse_definition(TEXT.encode(), tmp_path / "shop.yaml", {})
    assert definition.spec.engine.spark is not None
    environ = {"PATH": os.environ["PATH"], "SPARK_HOME": "nowhere"}  # so that the driver ends at once
    own = SparkCluster(definition, definition.spec.engine.spark, tmp_path, environ=environ)
    for restarts in range(3):
        own.submit()
        driver = json.loads((tmp_path / "driver.json").read_text())["pid"]
        with suppress(psutil.NoSuchProcess):
            psutil.Process(driver).wait(30)
        assert (own.state().state, own.state().restarts) == ("failed", restarts)
    (tmp_path / "status.json").write_text('{"state": "missing"}')  # as it is after `livekpi stop`
    own.submit()
    assert own.state().restarts == 0
    own.stop(savepoint=False)


def test_a_job_can_be_read_back(tmp_path: Path) -> None:
    own = cluster(tmp_path)
    (tmp_path / "job.json").write_text(own.description.text())
    description = Description.read(tmp_path / "job.json")
    assert description == own.description
    definition = description.resolve({"BROKERS": "y:2"})
    assert definition.sources["shop"].spec.kafka is not None
    assert definition.sources["shop"].spec.kafka.brokers == "y:2"
    assert "y:2" not in own.render()


def test_what_is_printed_runs_where_livekpi_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names no file beside it: none is written, and no directory need be there."""
    monkeypatch.chdir(tmp_path)
    own = cluster(tmp_path, directory=Path(".livekpi/job"), file=Path("shop.yaml"))
    Path("printed.json").write_text(own.render())
    printed = Description.read(Path("printed.json"))
    assert (printed.status, printed.meaning) == (None, None)
    assert ".livekpi" not in own.render()
    assert own.description == replace(printed, status=str(tmp_path / ".livekpi/job/status.json"), meaning=own.description.meaning)
    assert printed.resolve({}).topics == "shop"


@pytest.mark.parametrize("text", ["", "[]", '{"path": "x"}'])
def test_a_bad_description_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "job.json").write_text(text)
    with pytest.raises(DescriptionError, match=r"job\.json: no description"):
        Description.read(tmp_path / "job.json")
