"""The customers post what arrives, in bodies of a size, and end when the server does."""

import json
import threading

import pytest

from livekpi.client import Client, ClientError
from livekpi.clock import ManualClock
from livekpi.demo.customers import BODY_EVENTS, Customers
from livekpi.demo.generator import INCIDENT_AT_US, INCIDENT_EVERY_US, SECOND_US, Shop

START_US = INCIDENT_EVERY_US * 1_000


class Door(Client):
    """A door that keeps what is posted, and closes after some bodies."""

    def __init__(self, limit: int) -> None:
        super().__init__("127.0.0.1:1")
        self.bodies: list[bytes] = []
        self._limit = limit

    def post_events(self, source: str, lines: bytes) -> object:
        assert source == "shop"
        if len(self.bodies) == self._limit:
            raise ClientError("no more")
        self.bodies.append(lines)
        return {"accepted": len(lines.splitlines())}


def customers(door: Door, now_us: int) -> Customers:
    return Customers(door, Shop(1, START_US), 1, ManualClock(now_us))


def test_they_post_what_has_arrived_in_bodies_of_a_size() -> None:
    door, now_us = Door(3), START_US + 60 * SECOND_US
    some = customers(door, now_us)
    with pytest.raises(ClientError, match="no more"):
        some.post(threading.Event())
    posted = [json.loads(line) for body in door.bodies for line in body.splitlines()]
    assert posted == Shop(1, START_US).until(now_us)[: 3 * BODY_EVENTS]
    assert some.posted_events == 3 * BODY_EVENTS
    assert "3,000 events posted" in some.news()


def test_they_post_nothing_once_stopped() -> None:
    stop, door = threading.Event(), Door(1)
    stop.set()
    customers(door, START_US + 60 * SECOND_US).post(stop)
    assert door.bodies == []


def test_the_news_tell_of_an_incident_while_it_lasts() -> None:
    assert customers(Door(0), START_US).news().endswith("all is well")
    assert "stops buying" in customers(Door(0), START_US + INCIDENT_AT_US).news()
