"""The full report: one page that needs nothing else, shows every ticket, and escapes what people wrote."""

import re
from html.parser import HTMLParser

import pytest
from sqlmodel import select

from store.alerts import Alert, note
from store.errors import NotFound
from store.session import Store
from store.settings import Settings
from store.tables import Evaluation, EvaluationItem, Night, Ticket
from store.words import ItemKind, NightState
from tests.trainer.conftest import RunNight
from tests.trainer.tickets import add_distinct, add_reviewed
from trainer.report_page import page

VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Checks that every tag is closed, and keeps what could fetch or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_report_shows_every_ticket_and_needs_nothing_else(
    store: Store, night_settings: Settings, one_night: RunNight
) -> None:
    add_distinct(store, 40)
    with store.writing() as session:
        for number in range(4):
            hostile = f"<script>alert({number})</script> & where is printer {number}?"
            add_reviewed(session, hostile, "No.", correction=f"It is in <b>room</b> 1{number:03}.")
    night = one_night()
    with store.writing() as session:
        note(session, night.id or 0, [Alert("One person <i>asked</i> all of it.", ("U0STUBBORN1",))])
    with store.reading() as session:
        night = session.get_one(Night, night.id)
        html = page(session, night_settings, night)
        compared = session.exec(select(Evaluation)).one()
        rows = session.exec(select(EvaluationItem, Ticket.question).join(Ticket)).all()
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    assert "script" not in reader.tags
    assert reader.addresses
    assert all(address.startswith("data:image/png;base64,") for address in reader.addresses)
    assert reader.tags.count("details") == len(rows) > compared.metrics["items"] >= 8
    assert len(re.findall('class="number (?:good|bad|unsure)"', html)) == len(compared.metrics["measures"])
    assert "<script>" not in html
    assert "&lt;script&gt;alert(" in html
    assert "One person &lt;i&gt;asked&lt;/i&gt; all of it. (U0STUBBORN1)" in html
    corrections = [item for item, _ in rows if item.kind is not ItemKind.HELD_OUT]
    assert f"{len(corrections)} corrections asked again" in html
    assert compared.summary.split(". ")[0] in html.replace("&#39;", "'")


def test_a_night_that_compared_nothing_says_why(store: Store, settings: Settings) -> None:
    with store.writing() as session:
        night = Night(key="2026-11-24", requested_by="schedule", state=NightState.DECLINED, outcome="Too few answers.")
        session.add(night)
        session.flush()
        with pytest.raises(NotFound, match=r"compared no version.*Too few answers"):
            page(session, settings, night)
