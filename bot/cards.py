"""The morning card's facts, gathered from the store, and the card's message brought up to date."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from bot import posting
from bot.blocks.card import Card, Example, Measure, Report, night_card, slack_date
from bot.safe_text import plain_label
from bot.services import Services
from store import adapters, alerts, evaluations, nights, outbox
from store.errors import NotFound
from store.settings import Settings
from store.tables import Adapter, Evaluation, EvaluationItem, OutboxMessage, Promotion, Ticket
from store.words import AdapterState, PromotionKind

RECORDED_WITHIN_S = 5.0


def card_key(night_id: int) -> str:
    """The outbox key of a night's card."""
    return f"night-{night_id}"


def gather(session: Session, settings: Settings, night_id: int) -> Card:
    """All that the card of a night shows.

    Raises:
        NotFound: there is no such night.
    """
    night = nights.get(session, night_id)
    compared = evaluations.of_night(session, night_id)
    message = outbox.by_key(session, card_key(night_id))
    production = adapters.production(session)
    raised = alerts.of_night(session, night_id)
    card = Card(night_id, night.key, night.state, night.outcome, production=production, alerts=raised)
    if compared is None:
        return card
    version = session.exec(select(Adapter).where(Adapter.name == compared.candidate)).first()
    promotable = version is not None and version.state != AdapterState.REJECTED and version.name != production
    return Card(
        night_id,
        night.key,
        night.state,
        night.outcome,
        report=_report(session, settings, compared),
        alerts=raised,
        production=production,
        promotable=promotable,
        decided=_decided(session, compared.candidate, message),
    )


def _report(session: Session, settings: Settings, compared: Evaluation) -> Report:
    metrics = compared.metrics
    examples = metrics.get("examples") or {}
    return Report(
        candidate=compared.candidate,
        champion=compared.champion,
        verdict=compared.verdict,
        summary=compared.summary,
        items=int(metrics.get("items") or 0),
        confidence=settings.gate.confidence,
        measures=[_measure(measure) for measure in metrics.get("measures") or []],
        better=_examples(session, examples.get("better") or []),
        worse=_examples(session, examples.get("worse") or []),
        broken=_examples(session, examples.get("broken") or []),
        costs=_costs(metrics.get("cost") or {}),
    )


def _measure(measure: dict[str, Any]) -> Measure:
    return Measure(
        label=str(measure["label"]),
        unit=str(measure.get("unit") or ""),
        candidate=float(measure["candidate"]),
        champion=float(measure["champion"]),
        difference=float(measure["difference"]),
        low=float(measure["low"]),
        high=float(measure["high"]),
        better=measure.get("better"),
    )


def _examples(session: Session, ids: Sequence[int]) -> list[Example]:
    rows = session.exec(
        select(EvaluationItem, Ticket)
        .join(Ticket, col(EvaluationItem.ticket_id) == col(Ticket.id))
        .where(col(EvaluationItem.id).in_(ids))
    ).all()
    by_id = {
        item.id: Example(ticket.question, item.reference, item.candidate_text, item.champion_text)
        for item, ticket in rows
    }
    return [by_id[item_id] for item_id in ids if item_id in by_id]


def _costs(cost: dict[str, Any]) -> str:
    parts = []
    if cost.get("train_rows") is not None:
        parts.append(f"learnt from {cost['train_rows']} answers")
    if cost.get("train_seconds") is not None:
        parts.append(f"training took {_duration(cost['train_seconds'])}")
    if cost.get("evaluate_seconds") is not None:
        parts.append(f"comparing took {_duration(cost['evaluate_seconds'])}")
    said = ", ".join(parts).capitalize()
    return f"{said}. Method: {cost['methods']}." if cost.get("methods") else said


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _decided(session: Session, name: str, message: OutboxMessage | None) -> list[str]:
    """What has been decided about a version, latest last."""
    lines = []
    if message is not None and (holder := message.payload.get("held_by")):
        lines.append(f"✋ <@{holder}> holds {name}: production stays as it is.")
    moves = session.exec(
        select(Promotion)
        .where((Promotion.adapter == name) | ((Promotion.previous == name) & (Promotion.kind == "rollback")))
        .order_by(col(Promotion.id))
    )
    for move in moves:
        when = slack_date(move.created_at)
        why = f" “{plain_label(move.reason, 200)}”" if move.reason else ""
        if move.adapter == name:
            verb = "promoted" if move.kind == PromotionKind.PROMOTE else "rolled back to"
            lines.append(f"✅ <@{move.person_id}> {verb} {name}, {when}.{why}")
        else:
            lines.append(f"↩️ <@{move.person_id}> rolled back from {name} to {move.adapter}, {when}.{why}")
    return lines[-3:]


async def refresh(services: Services, night_id: int, *, busy: str = "", trouble: str = "") -> None:
    """Bring a posted card up to date; a night whose card is not posted yet is left alone."""
    message = await _posted(services, card_key(night_id))
    if message is None:
        return
    try:
        card = await services.store.read(gather, services.settings, night_id)
    except NotFound:
        return
    content = night_card(card, busy, trouble)
    metadata = posting.note_metadata(message.key)
    await posting.update(services, message.channel_id, message.message_ts, content, metadata)


async def _posted(services: Services, key: str) -> OutboxMessage | None:
    # Its buttons can be clicked before its place has been recorded: a click in that moment waits for it.
    deadline = time.monotonic() + RECORDED_WITHIN_S
    while True:
        message: OutboxMessage | None = await services.store.read(outbox.by_key, key)
        if message is None or message.message_ts:
            return message
        if not message.attempts or time.monotonic() > deadline:
            return None
        await asyncio.sleep(0.05)


async def refresh_of_versions(services: Services, names: Sequence[str], *, busy: str = "", trouble: str = "") -> None:
    """Bring the cards of the nights that made these versions up to date."""
    for night_id in await services.store.read(_nights_of, names):
        await refresh(services, night_id, busy=busy, trouble=trouble)


def _nights_of(session: Session, names: Sequence[str]) -> list[int]:
    found = (evaluations.of_candidate(session, name) for name in names)
    return list(dict.fromkeys(compared.night_id for compared in found if compared is not None))
