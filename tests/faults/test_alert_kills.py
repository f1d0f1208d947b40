"""Killed at any moment, again and again, while alerts begin and end and their receivers fail: each is told, by one key, and no other."""

import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from livekpi.alerts import ledger
from livekpi.alerts.ledger import Alert
from livekpi.store.database import Store
from tests.alerts.notifiers.events_v2 import mistakes
from tests.faults.flaky_receivers import Receivers, Told, flaky_receivers, told
from tests.faults.incidents import DEFINITION, END, LEVEL, RULES, Event, Story, expected
from tests.faults.livekpi_server import LivekpiServer, nothing_wrong
from tests.faults.posting import Client
from tests.faults.traffic import SECOND_US
from tests.servers.nursery import Nursery

_PAUSE_S = 0.05
_PATIENCE_S = 60


class Posting(threading.Thread):
    """Posts a story's seconds one after the other until `end`, each again and again until it is accepted."""

    def __init__(self, address: str, story: Story, rng: random.Random) -> None:
        super().__init__(name="story", daemon=True)
        self.error: BaseException | None = None
        self._client, self._story, self._rng = Client(address), story, rng
        self._ended, self._given_up = threading.Event(), threading.Event()

    def run(self) -> None:
        try:
            while not self._ended.wait(_PAUSE_S):
                self._post(self._story.second())
        except BaseException as error:  # noqa: BLE001 - raised by `end`
            self.error = error
        finally:
            self._client.close()

    def end(self) -> None:
        """Posts the story's end, to a server that is killed no more."""
        self._ended.set()
        self.join(_PATIENCE_S)
        assert not self.is_alive(), "a second was not accepted in time"
        if self.error is not None:
            raise self.error
        for events in self._story.end():
            self._post(events)
        self._client.close()

    def give_up(self) -> None:
        self._ended.set()
        self._given_up.set()

    def _post(self, events: Sequence[Event]) -> None:
        records = [event.record() for event in events]
        while records and self._client.send("shop", records, self._rng) != "accepted" and not self._given_up.wait(_PAUSE_S):
            pass  # the server may be gone


@contextmanager
def posting(address: str, story: Story, rng: random.Random) -> Iterator[Posting]:
    begun = Posting(address, story, rng)
    begun.start()
    try:
        yield begun
    finally:
        begun.give_up()


def many_lives(server: LivekpiServer, receivers: Receivers, rng: random.Random, kills: int) -> None:
    """Starts it and kills it: while starting, on duty, when it has just written something, and while a receiver hears it."""
    for _ in range(kills):
        server.start()
        far = rng.choice(("begun", "answers", "told", "told", "told"))
        if far == "told":
            wanted = rng.choice((1, 2, 4, 8))
            assert receivers.wait_for_requests(wanted, _PATIENCE_S), f"nothing is told:\n{server.process.tail()}"
            time.sleep(rng.choice((0, 0.01, 0.5)) * rng.random())
        else:
            if far == "answers":
                server.wait_until_it_answers()
            time.sleep(rng.uniform(0, 0.7))
        server.process.kill()


@pytest.mark.timeout(900)
def test_killed_again_and_again(rng: random.Random, kills: int, begin_us: int, nursery: Nursery, tmp_path: Path) -> None:
    story = Story(random.Random(rng.random()), begin_us)
    with flaky_receivers(random.Random(rng.random())) as receivers:
        server = LivekpiServer(tmp_path, DEFINITION.format(notify=list(receivers.NAMES)) + receivers.definition, nursery)
        try:
            with posting(server.address, story, random.Random(rng.random())) as begun:
                many_lives(server, receivers, rng, kills)
                receivers.steady = True
                server.start()
                begun.end()
            server.until(lambda: any(ended(each, END) for each in told(list(receivers.taken["hook"]))))
            server.process.terminate()
            assert server.process.wait(10) == 0
            # what was not certain while late events were waited for is so when the source has been idle for longer than that
            server.start()
            server.wait_until_it_answers()
            server.until(lambda: judged_and_told(server.text("/metrics")))
            server.process.terminate()
            assert server.process.wait(10) == 0
        finally:
            server.close()
        alerts = known_alerts(server.data)
        heard = told(receivers.taken["hook"])
        nothing_wrong([*against_the_story(alerts, story), *at_the_webhook(alerts, heard)])
        nothing_wrong([*at_pagerduty(receivers, heard), *at_alertmanager(alerts, receivers, begin_us + 3_600 * SECOND_US)])
        assert len(alerts) > kills, "too little happened between the kills for them to mean anything"
        assert kills < 20 or len({each.number for each in heard}) < len(heard), "no kill came between telling and noting it"
        assert receivers.failed > kills / 5


def ended(message: Told, service: str) -> bool:
    return any(alert["series"] == {"service": service} and alert["status"] == "resolved" for alert in message.content["alerts"])


def judged_and_told(metrics: str) -> bool:
    values = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if not line.startswith("#"))
    waiting = [value for name, value in values.items() if name.startswith("livekpi_outbox_waiting{")]
    told_all = len(waiting) == len(Receivers.NAMES) and not any(map(float, waiting))
    return told_all and float(values["livekpi_judgement_seconds_count"]) > 0


def known_alerts(data: Path) -> list[Alert]:
    store = Store.open_for_reading(data)
    try:
        return [alert for alert in ledger.alerts(store.cursor()) if alert.rule in RULES]
    finally:
        store.close()


def service_of(alert: Alert) -> str:
    [service] = json.loads(alert.series)
    return str(service)


def against_the_story(alerts: Sequence[Alert], story: Story) -> Iterator[str]:
    """What the store knows is what happened; of levels it may know more, which came and went within a second."""
    wanted = expected(story.events)
    found = [(alert.rule, service_of(alert), alert.started_us, alert.ends_us) for alert in alerts if alert.note != "corrected"]
    if len(set(found)) < len(found):
        yield f"{len(found) - len(set(found))} incidents are known twice"
    yield from (f"not known: {each}" for each in sorted(wanted - set(found)))
    yield from (f"never was: {each}" for each in sorted({each for each in found if each[0] != LEVEL} - wanted, key=str))


def at_the_webhook(alerts: Sequence[Alert], heard: Sequence[Told]) -> Iterator[str]:
    """Each beginning and each end was told, under the alert's key, and a message that came again was the same."""
    statuses: dict[str, set[str]] = defaultdict(set)
    about: dict[str, set[tuple[str, str]]] = defaultdict(set)
    contents: dict[int, set[str]] = defaultdict(set)
    repeats: dict[int, set[str]] = defaultdict(set)
    for message in heard:
        contents[message.number].add(json.dumps(message.content, sort_keys=True))
        repeats[message.number] |= {message.idempotency_key} if message.idempotency_key is not None else set()
        for each in message.content["alerts"]:
            statuses[each["key"]].add(each["status"])
            about[each["key"]].add((message.content["rule"], each["series"]["service"]))
    known = {alert.key: (alert.rule, service_of(alert)) for alert in alerts}
    for alert in alerts:
        if statuses[alert.key] != {"firing", "resolved"} or alert.told != "resolved":
            yield f"{alert} was told as {sorted(statuses[alert.key])}"
    yield from (f"{key} of {about[key]} was told and is not known" for key in about.keys() - known.keys())
    yield from (
        f"{key} is of {known[key]}, and was told as of {about[key]}" for key in known if key in about and about[key] != {known[key]}
    )
    yield from (f"message {number} was told in {len(texts)} ways" for number, texts in contents.items() if len(texts) > 1)
    yield from (f"message {number} came with the keys {sorted(keys)}" for number, keys in repeats.items() if keys - {str(number)})


def at_pagerduty(receivers: Receivers, heard: Sequence[Told]) -> Iterator[str]:
    """Each event is within the contract, each rule an incident of its own, and what the webhook heard was told here, or what came of it.

    After a failure what has been waiting goes as one digest, and of one incident a digest tells the last word.
    """
    found: set[str] = set()
    last: dict[str, str] = {}
    for request in receivers.taken["oncall"]:
        yield from mistakes(request.body)
        event = request.json
        last[event["dedup_key"]] = event["event_action"]
        found.add(_gist(event["dedup_key"], event["payload"]["custom_details"]["alerts"]))
    if last != {message.content["key"]: "resolve" for message in heard}:
        yield f"the incidents at PagerDuty: {last}"
    told_up_to: dict[str, int] = defaultdict(int)
    for message in heard:
        if _gist(message.content["key"], message.content["alerts"]) in found:
            told_up_to[message.content["key"]] = max(message.number, told_up_to[message.content["key"]])
    yield from (
        f"PagerDuty was not told message {message.number}, nor a later one of its incident"
        for message in heard
        if message.number > told_up_to[message.content["key"]]
    )
    if len(found) < len({message.number for message in heard}) / 2:
        yield f"PagerDuty was told {len(found)} things of {len({message.number for message in heard})} messages"


def _gist(key: str, alerts: Sequence[dict[str, Any]]) -> str:
    """What two receivers are told alike."""
    return json.dumps([key, *([each["series"]["service"], each["status"], each["starts"], each.get("ends")] for each in alerts)])


def at_alertmanager(alerts: Sequence[Alert], receivers: Receivers, over_us: int) -> Iterator[str]:
    """Each series was told, and none fires there in the end: all ends are before `over_us`, and the end of what fires is ahead."""
    last: dict[tuple[str, str], str] = {}
    for request in receivers.taken["am"]:
        last |= {(alert["labels"]["alertname"], alert["labels"]["service"]): alert["endsAt"] for alert in request.json}
    known = {(alert.rule, service_of(alert)) for alert in alerts}
    yield from (f"Alertmanager was told of {each}, which is not known" for each in last.keys() - known)
    yield from (f"Alertmanager was not told of {each}" for each in known - last.keys())
    yield from (
        f"{each} fires on at Alertmanager" for each, end in last.items() if datetime.fromisoformat(end).timestamp() * SECOND_US > over_us
    )
