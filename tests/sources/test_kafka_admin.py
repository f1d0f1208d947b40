"""What is asked of a real broker beside records."""

import threading
from time import monotonic

import pytest

from livekpi.definition.shape.model import Kafka
from livekpi.sources.base import SourceError
from livekpi.sources.kafka_admin import Admin, Question
from tests.servers.kafka_server import KafkaServer
from tests.servers.ports import free_ports
from tests.sources.test_kafka import numbers, produce, spec_of

COMPACT = {"cleanup.policy": "compact"}


def test_topics_are_made_once(kafka: KafkaServer) -> None:
    one, two = kafka.topic_name(), kafka.topic_name()
    admin = Admin(spec_of(kafka, "-", settings={"group.id": "g", "fetch.min.bytes": 5, "client.id": "me"}))
    assert admin.create([one], 3, COMPACT) == [one]
    assert admin.create([one, two], 2, COMPACT) == [two]
    spans = spans_once_known(admin, [one, two])
    assert spans == {(one, 0): (0, 0), (one, 1): (0, 0), (one, 2): (0, 0), (two, 0): (0, 0), (two, 1): (0, 0)}


def test_a_topic_that_forgets_is_refused(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    with pytest.raises(SourceError, match=f"topic {topic} has cleanup.policy=delete, which forgets numbers"):
        Admin(spec_of(kafka, "-")).create([topic], 1, COMPACT)
    both = kafka.create_topic(config={"cleanup.policy": "compact,delete"})
    assert Admin(spec_of(kafka, "-")).create([both], 1, COMPACT) == []


def test_spans_of_what_is_there(kafka: KafkaServer) -> None:
    topic = kafka.create_topic(partitions=2)
    produce(kafka, topic, numbers(0, 10), 1)
    kafka.delete_records(topic, 1, 4)
    assert spans_once_known(Admin(spec_of(kafka, "-")), [topic]) == {(topic, 0): (0, 0), (topic, 1): (4, 10)}


def test_nobody_answers() -> None:
    [port] = free_ports(1)
    admin = Admin(Kafka(brokers=f"127.0.0.1:{port}", topic="-"), timeout_s=0.5)
    with pytest.raises(ConnectionError, match=f"no broker of 127.0.0.1:{port} answers"):
        admin.create(["t"], 1, COMPACT)
    with pytest.raises(ConnectionError, match=f"no broker of 127.0.0.1:{port} answers"):
        admin.spans(["t"])


def test_a_setting_that_the_client_refuses() -> None:
    with pytest.raises(SourceError, match="the Kafka client refuses its settings"):
        Admin(Kafka(brokers="127.0.0.1:1", topic="-", settings={"no.such.setting": "1"}))


def test_a_question_is_answered_in_the_background(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    spans_once_known(Admin(spec_of(kafka, "-")), [topic])
    question = Question(Admin(spec_of(kafka, "-")), [topic])
    assert (question.asked, question.answer()) == (False, None)
    question.ask()
    assert question.asked
    assert answered(question) == {(topic, 0): (0, 0)}
    assert (question.asked, question.answer(), question.problem) == (False, None, None)
    question.ask()
    question.forget()
    assert (question.asked, question.answer()) == (False, None)
    question.close()


def test_what_a_transaction_leaves_at_the_end_is_no_record(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    producer = kafka.producer(transactional_id=topic)
    producer.init_transactions(30)
    producer.begin_transaction()
    for number in range(5):
        producer.produce(topic, str(number).encode())
    producer.commit_transaction(30)
    place, read = (topic, 0), {(topic, 0): 5}
    admin = Admin(spec_of(kafka, "-"))
    deadline = monotonic() + 30
    while admin.spans([topic]) != {place: (0, 6)}:  # the mark is written after the commit is answered
        assert monotonic() < deadline
    question = Question(admin, [topic], lambda: read)
    for read[place], end in ((5, 5), (4, 6), (5, 5), (6, 6)):
        question.ask()
        assert answered(question) == {place: (0, end)}
    read[place] = 5
    produce(kafka, topic, numbers(0, 1))
    question.ask()
    assert answered(question) == {place: (0, 7)}
    question.close()


def test_why_a_question_has_no_answer(kafka: KafkaServer) -> None:
    question = Question(Admin(spec_of(kafka, "-")), [kafka.topic_name()])
    question.ask()
    assert answered(question) is None
    assert question.problem is not None
    question.close()


def test_asking_for_a_topic_makes_none(kafka: KafkaServer) -> None:
    name = kafka.topic_name()
    with pytest.raises(SourceError, match="Unknown topic"):
        Admin(spec_of(kafka, "-")).spans([name])
    assert name not in kafka.admin.list_topics(timeout=10).topics


def spans_once_known(admin: Admin, topics: list[str]) -> object:
    """The spans of topics that were made just now: not all of the broker knows them at once."""
    for _ in range(100):
        try:
            return admin.spans(topics)
        except SourceError:
            threading.Event().wait(0.05)
    return admin.spans(topics)


def answered(question: Question) -> object:
    """The answer, waited for; None where the question is open no more without one."""
    for _ in range(200):
        answer = question.answer()
        if answer is not None or not question.asked:
            return answer
        threading.Event().wait(0.05)
    raise AssertionError("no answer")
