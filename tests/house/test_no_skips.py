"""A skip fails under CI=true, wherever it happens, and only there."""

import pytest

from tests.plugins import no_skips

SKIPS = {
    "test_in_body": "import pytest\ndef test_a(): pytest.skip('no JDK')\n",
    "test_by_mark": "import pytest\n@pytest.mark.skip('no JDK')\ndef test_a(): pass\n",
    "test_by_fixture": "import pytest\n@pytest.fixture\ndef kafka(): pytest.skip('no JDK')\ndef test_a(kafka): pass\n",
    "test_by_module": "import pytest\npytest.skip('no JDK', allow_module_level=True)\n",
}
ARGUMENTS = ["--continue-on-collection-errors", "-p", "no:hypothesispytest"]


def test_a_skip_fails_under_ci_and_says_why(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    pytester.makepyfile(**SKIPS)
    result = pytester.runpytest_inprocess(*ARGUMENTS, plugins=[no_skips])
    result.assert_outcomes(failed=1, errors=3)  # a test that fails before its body is an error
    for name in SKIPS:
        result.stdout.fnmatch_lines_random([f"{name}.py*: {no_skips.REFUSED}: *no JDK*"])


def test_off_ci_a_skip_is_a_skip(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    pytester.makepyfile(**SKIPS)
    pytester.runpytest_inprocess(*ARGUMENTS, plugins=[no_skips]).assert_outcomes(skipped=4)


def test_an_expected_failure_is_no_skip(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    pytester.makepyfile("import pytest\n@pytest.mark.xfail\ndef test_a(): assert False\n")
    pytester.runpytest_inprocess(*ARGUMENTS, plugins=[no_skips]).assert_outcomes(xfailed=1)
