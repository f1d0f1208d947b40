"""Under CI=true nothing is skipped: a skip there is a failure that says what could not be run, and why."""

import os
from collections.abc import Generator

import pytest

REFUSED = "skipped, and under CI=true nothing may be"


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turns the report of a skip into that of a failure; an expected failure is no skip."""
    if os.environ.get("CI") == "true" and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: {REFUSED}: {reason}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse(report)
    return report
