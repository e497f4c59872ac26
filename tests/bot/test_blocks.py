from typing import Any

import pytest
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.blocks.answer import Closing, answer_text, closed_answer, correction, trying_again
from bot.blocks.card import Card, Example, Measure, Report, night_card
from bot.blocks.content import Content
from bot.blocks.errors import sentence_modal
from bot.blocks.feedback import reason_modal
from bot.blocks.home import Home, home_view
from bot.blocks.home.operating import Operations
from bot.blocks.home.places import Places
from bot.blocks.home.reviewing import ReviewQueue
from bot.blocks.home.versions import VERSION_STEP_ACTION, Versions
from bot.blocks.review import Case, Progress, ending_modal, review_modal
from bot.metadata import ReviewFlow, Start
from deploy.workspace.block_kit import check
from store.agreement import Agreement
from store.alerts import Alert
from store.contradictions import Opposed
from store.review_queue import Decided, Facts, QueueItem
from store.review_signs import Counts
from store.review_undo import Undoable
from store.tables import Answer, Message, Proposal, Review, ReviewDesk, Ticket, Vote
from store.usage import Figures
from store.words import (
    AdapterState,
    DeliveryState,
    GateVerdict,
    NightState,
    QueueFilter,
    Role,
    Surface,
    Verdict,
    Visibility,
    VoteReason,
    VoteValue,
)
from tests.bot.big import big_operations, version

LONG = "<!channel> *word* `code` & <@U1> " * 400
EXAMPLE = Example(LONG, LONG, LONG, LONG)
MEASURE = Measure(LONG, "nats", 0.123456, 0.2, -0.08, -0.1, -0.05, False)


def dumped(blocks: Any) -> list[dict[str, Any]]:
    return [block.to_dict() if isinstance(block, Block) else block for block in blocks]


def assert_sendable(content: Content) -> None:
    """What Slack would take: by the SDK's own checks, and by the local workspace's."""
    blocks = dumped(content.blocks or [])
    for block in content.blocks or []:
        block.validate_json()
    assert check.blocks(blocks) == []
    assert len(blocks) <= 50
    assert 0 < len(content.text) <= 4000


def assert_openable(view: View) -> None:
    view.validate_json()
    assert check.view(view.to_dict()) == []
    assert len(view.blocks or []) <= 100


def long_ticket() -> Ticket:
    return Ticket(
        id=1, team_id="T", channel_id="C", thread_ts="1.1", asker_id="U1", surface=Surface.MENTION,
        visibility=Visibility.PUBLIC, question=LONG,
    )  # fmt: skip


def long_answer(**fields: Any) -> Answer:
    return Answer(**{"id": 1, "ticket_id": 1, "event_id": "k", "question_ts": "1.1", "text": LONG, **fields})


@pytest.mark.parametrize("state", [DeliveryState.DELIVERED, DeliveryState.STOPPED, DeliveryState.FAILED])
@pytest.mark.parametrize("text", ["", "short", "x" * 11_000])
def test_answers_fit(state: DeliveryState, text: str) -> None:
    sentence = "It is down." if state == DeliveryState.FAILED or not text else ""
    assert_sendable(closed_answer(text, Closing(1, state, sentence)))
    assert_sendable(answer_text(text or "x"))
    assert_sendable(trying_again())
    assert_sendable(correction("U1", LONG[:3000]))


def big_report(verdict: GateVerdict) -> Report:
    return Report(
        "v7", "v6", verdict, LONG, 120, 0.95, [MEASURE] * 15, [EXAMPLE] * 5, [EXAMPLE] * 5, [EXAMPLE] * 5, "costs"
    )  # fmt: skip


ALERTS = [Alert(LONG, tuple(f"U{number:010}" for number in range(500)))] * 30


@pytest.mark.parametrize("verdict", list(GateVerdict))
@pytest.mark.parametrize(("busy", "trouble"), [("", ""), ("Promoting v7 …", ""), ("", LONG)])
def test_the_biggest_card_fits(verdict: GateVerdict, busy: str, trouble: str) -> None:
    shown = Card(1, "2026-11-24", NightState.DONE, LONG, big_report(verdict), "v6", True, ["a", "b", "c"], ALERTS)
    assert_sendable(night_card(shown, busy, trouble))


@pytest.mark.parametrize("state", [NightState.DECLINED, NightState.FAILED, NightState.DONE])
@pytest.mark.parametrize("outcome", ["", LONG])
def test_short_cards_fit(state: NightState, outcome: str) -> None:
    assert_sendable(night_card(Card(1, "2026-11-24", state, outcome, production="v6", alerts=ALERTS)))


def test_the_fullest_home_fits() -> None:
    facts = Facts(1, 1, True, True, True, 0.9, 3, 4, 5, 6, contradicted=True)
    others = [Opposed(long_ticket(), LONG)] * 5
    items = [
        QueueItem(long_answer(id=number, state=DeliveryState.FAILED), long_ticket(), facts, "U9", others)
        for number in range(10)
    ]
    counts = Counts(50, dict.fromkeys(QueueFilter, 2000), 7, 3, 2, 1)
    undoable = [Undoable(f"b{number}", Verdict.CORRECTED, 3, LONG) for number in range(3)]
    desk = ReviewDesk(reviewer_id="U1", channels=["C1"], page=1)
    agreement = Agreement(40, 0.9, 0.71, "Fleiss")
    tags = [f"{number} {LONG}"[:75] for number in range(100)]
    queue = ReviewQueue(counts, items, desk, True, undoable, agreement, tags)
    full = Home([long_ticket()] * 5, queue, big_operations())
    assert_openable(home_view(full))
    assert_openable(home_view(full, busy="Promoting v7 …", trouble=LONG))
    review = Review(answer_id=1, reviewer_id="U1", verdict=Verdict.CORRECTED, correction=LONG)
    chosen = ReviewDesk(reviewer_id="U1", channels=[], tag=tags[0])
    assert_openable(
        home_view(Home([], ReviewQueue(counts, [], chosen, tags=tags, decided=[Decided(review, LONG)] * 20)))
    )
    nothing = ReviewQueue(Counts(), [], ReviewDesk(reviewer_id="U1", channels=[]))
    empty = Home([], nothing, Operations(Versions("base"), usage=Figures(), places=Places()))
    assert_openable(home_view(empty))
    assert_openable(home_view(Home([])))


def test_while_something_moves_no_button_moves_it_again() -> None:
    operations = Operations(Versions("base", [version("v1", AdapterState.CANDIDATE)], "base"))
    assert VERSION_STEP_ACTION in str(home_view(Home([], None, operations)).to_dict())
    assert VERSION_STEP_ACTION not in str(home_view(Home([], None, operations), busy="Promoting v1 …").to_dict())


def test_modals_fit() -> None:
    lines = [Message(ticket_id=1, ts=str(number), person_id="U1", role=Role.ASKER, text=LONG) for number in range(20)]
    votes = [
        Vote(answer_id=1, person_id=f"U{number}", value=VoteValue.DOWN, reason=VoteReason.WRONG, comment=LONG)
        for number in range(30)
    ]
    replies = [Proposal(id=number, answer_id=1, person_id="U3", ts=str(number), text=LONG) for number in range(30)]
    alike = [(long_answer(id=number), long_ticket()) for number in range(2, 12)]
    tags = [f"{number} {LONG}"[:75] for number in range(100)]
    full = Case(long_answer(mean_logprob=-1.0), long_ticket(), lines, votes, replies, alike, 1000, tags)
    flow = ReviewFlow(1, tuple(range(10**9, 10**9 + 10)), 1000, "b" * 16, Start("reply", 3))
    assert_openable(review_modal(full, Progress(flow, 50_000, "Done.")))
    failed = long_answer(text="", state=DeliveryState.FAILED, error=LONG)
    assert_openable(review_modal(Case(failed, long_ticket(), [], []), Progress(ReviewFlow(1), 1)))
    assert_openable(ending_modal(Progress(flow, 0, "Done.", skipped=3)))
    assert_openable(ending_modal(Progress(ReviewFlow(0), 0)))
    votes[0].comment = LONG[:3000]
    assert_openable(reason_modal("{}", votes[0]))
    assert_openable(sentence_modal("No."))
