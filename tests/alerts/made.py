"""Messages as tests need them, and the texts that receivers choke on."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from livekpi.alerts.message import SEVERITIES, Message, Notice

NOW_US = 1_800_000_000_000_000
SECOND_US = 1_000_000
NOTICE = Notice(
    key="errors_high/checkout/1",
    rule="errors_high",
    severity="critical",
    status="firing",
    starts_us=NOW_US - 90 * SECOND_US,
    ends_us=None,
    series={"service": "checkout"},
    value=0.071,
    summary="error_rate is 7.1 % at checkout",
    unit="ratio",
    threshold=0.05,
    labels={"team": "shop"},
    runbook="https://wiki.example.com/runbooks/errors",
    links={"KPI": "https://kpi.example.com/kpis/error_rate"},
)


def notice(**changes: Any) -> Notice:
    """The usual one, changed."""
    return replace(NOTICE, **changes)


def resolved(**changes: Any) -> Notice:
    """The usual one, over."""
    return notice(**{"status": "resolved", "ends_us": NOW_US - SECOND_US, **changes})


def message(*notices: Notice, number: int = 7, key: str = "errors_high/1", **changes: Any) -> Message:
    given = notices or (NOTICE,)
    return Message(**{"key": key, "number": number, "rule": given[0].rule, "at_us": NOW_US, "notices": given, **changes})


NASTY = [
    "\x00",
    "\r\nBcc: all@example.com\r\n\r\n",
    "<!channel> & <script>",
    "\ud800",
    "💥" * 50,
    "a" * 10_000,
    "]]>'\"\\",
    "\u2028",
    "é",
    "٣",
    "{{x}}",
]
TEXTS = st.one_of(st.text(max_size=20), st.sampled_from(NASTY), st.builds(str.__mul__, st.characters(), st.just(4_000)))
"""Any text, of any length up to what a summary or a dimension may be."""
_TIMES = st.integers(min_value=0, max_value=4_000_000_000_000_000)
_NAMED = st.dictionaries(TEXTS, TEXTS, max_size=2)
NOTICES = st.builds(
    Notice,
    key=TEXTS,
    rule=TEXTS.filter(bool),
    severity=st.sampled_from(SEVERITIES),
    status=st.sampled_from(["firing", "resolved"]),
    starts_us=_TIMES,
    ends_us=st.none() | _TIMES,
    series=st.dictionaries(TEXTS, st.none() | TEXTS, max_size=2),
    value=st.none() | st.floats(),
    summary=TEXTS,
    unit=st.none() | TEXTS | st.sampled_from(["ratio", "EUR", "bytes"]),
    threshold=st.none() | st.floats(),
    note=st.sampled_from(["", "late", "corrected"]),
    labels=_NAMED,
    runbook=st.none() | TEXTS | st.just("https://example.com/" + "x" * 500),
    links=st.dictionaries(TEXTS, TEXTS | st.just("https://example.com/?a=1&b=<2>"), max_size=2),
)
MESSAGES = st.builds(
    Message,
    key=TEXTS.filter(bool),
    number=st.integers(min_value=1, max_value=2**62),
    rule=TEXTS,
    at_us=_TIMES,
    notices=st.lists(NOTICES, min_size=1, max_size=3).map(tuple),
    acknowledged_by=st.none() | TEXTS,
)
DIGESTS = st.lists(MESSAGES, min_size=1, max_size=3)
