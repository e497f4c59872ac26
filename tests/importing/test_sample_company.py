import json
import re
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from store.import_tickets import import_tickets
from store.session import Store
from store.settings import Settings

SAMPLE = Path(__file__).parents[2] / "deploy" / "sample_company"
HOUSE_STYLE = re.compile(r"[A-Z][^\n]+\. Next step: [a-z][^\n]+\.")
DOMAIN_OR_PHONE = re.compile(r"[\w.@/-]+\.(?:example|com|org|net)\b|\b\d{3}-\d{4}\b")


@pytest.fixture(scope="module")
def tickets() -> list[dict[str, str]]:
    return [json.loads(line) for line in (SAMPLE / "tickets.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def story() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SAMPLE / "story.json").read_text())
    return loaded


def grams(text: str) -> set[str]:
    plain = " ".join(text.lower().split())
    return {plain[i : i + 4] for i in range(len(plain) - 3)}


def likeness(one: str, other: str) -> float:
    """Jaccard index of the sets of four successive characters."""
    return len(grams(one) & grams(other)) / len(grams(one) | grams(other))


def by_topic(tickets: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    topics = defaultdict(list)
    for ticket in tickets:
        topics[ticket["topic"]].append(ticket)
    return topics


def test_there_are_about_two_hundred_tickets_and_no_two_are_the_same(tickets: list[dict[str, str]]) -> None:
    assert 190 <= len(tickets) <= 230
    assert all(set(ticket) == {"id", "question", "answer", "topic"} for ticket in tickets)
    for field in ("id", "question"):
        assert Counter(ticket[field].lower() for ticket in tickets).most_common(1)[0][1] == 1


def test_each_topic_is_asked_often_in_different_words_and_answered_alike(tickets: list[dict[str, str]]) -> None:
    topics = by_topic(tickets)
    assert len(topics) == 30
    for name, asked in topics.items():
        assert len(asked) >= 5, name
        assert len({ticket["answer"] for ticket in asked}) == 1, name
        for one, other in combinations(asked, 2):
            assert likeness(one["question"], other["question"]) < 0.6, (one, other)


def test_answers_are_in_the_house_style_and_not_to_be_confused(
    tickets: list[dict[str, str]], story: dict[str, Any]
) -> None:
    answers = {ticket["answer"] for ticket in tickets} | {story["correction"]}
    for answer in answers:
        assert HOUSE_STYLE.fullmatch(answer), answer
        assert 15 <= len(answer.split()) <= 40, answer
    for one, other in combinations(answers, 2):
        assert likeness(one, other) < 0.4, (one, other)


def test_the_fact_of_the_story_is_nowhere_else(tickets: list[dict[str, str]], story: dict[str, Any]) -> None:
    known = [f"{ticket['question']} {ticket['answer']}" for ticket in tickets]
    known += [path.read_text() for path in (SAMPLE / "documents").glob("*.md")]
    for fact in [*story["facts"], "dog"]:
        assert not [text for text in known if fact.lower() in text.lower()], fact
    assert all(fact in story["correction"] for fact in story["facts"])
    # Else a model this small takes every question about a star party for one about seats.
    assert not [ticket for ticket in tickets if "star part" in f"{ticket['question']} {ticket['answer']}".lower()]


def test_the_questions_of_the_story_differ(tickets: list[dict[str, str]], story: dict[str, Any]) -> None:
    assert (len(story["ask_before"]), len(story["ask_after"])) == (4, 3)
    asked = [*story["ask_before"], *story["ask_after"]]
    for one, other in combinations(asked, 2):
        assert likeness(one, other) < 0.6, (one, other)
    assert not set(asked) & {ticket["question"] for ticket in tickets}


def test_every_address_and_number_belongs_to_nobody_and_stands_in_the_documents(
    tickets: list[dict[str, str]],
) -> None:
    documents = "".join(path.read_text() for path in sorted((SAMPLE / "documents").glob("*.md")))
    assert len(list((SAMPLE / "documents").glob("*.md"))) == 12
    for ticket in tickets:
        for found in DOMAIN_OR_PHONE.findall(ticket["answer"]):
            assert found.endswith(".example") or found.startswith("555-01") or "lanternmoor.example" in found
    for answer in {ticket["answer"] for ticket in tickets}:
        for place in re.findall(r"lanternmoor\.example/\w+|\w+@lanternmoor\.example|555-\d{4}", answer):
            assert place in documents, place


def test_it_imports_without_a_bad_line(store: Store, settings: Settings, tickets: list[dict[str, str]]) -> None:
    report = import_tickets(store, settings, SAMPLE / "tickets.jsonl")
    assert (report.added, report.already_there, report.bad) == (len(tickets), 0, [])
