"""The Home tab of a person: what the store says, laid out for the roles that they hold."""

import asyncio
import logging
import time
from typing import Any

from slack_sdk.errors import SlackApiError
from sqlmodel import Session, col, select

from bot import permissions, posting
from bot.blocks.card import slack_date
from bot.blocks.home import Home, Operations, ReviewQueue, Version, home_view
from bot.safe_text import plain_label
from bot.services import Services
from store import adapters, evaluations, nights, reviews
from store.settings import Settings
from store.tables import BASE, Adapter, Night, Ticket
from store.words import NightState, PromotionKind, Stage, StageState, Surface

log = logging.getLogger(__name__)

QUEUE_SHOWN = 10
VERSIONS_SHOWN = 8
MOVES_SHOWN = 3
OWN_SHOWN = 5
REFRESH_EVERY_S = 4.0
WATCHED_FOR_S = 900.0

NIGHT_WORDS = {
    NightState.SCHEDULED: "🗓 planned",
    NightState.REQUESTED: "⏳ about to start",
    NightState.RUNNING: "🌙 running",
    NightState.DONE: "✅ done",
    NightState.DECLINED: "😴 nothing to learn",
    NightState.FAILED: "⚠️ failed",
}


async def publish(services: Services, person_id: str, *, busy: str = "", trouble: str = "") -> None:
    """Show a person their Home tab as things stand now."""
    gathered = await services.store.read(gather, services.settings, person_id)
    if gathered.operations is not None:
        services.home_watchers[person_id] = time.monotonic()
    await services.slack.views_publish(user_id=person_id, view=home_view(gathered, busy, trouble))


def gather(session: Session, settings: Settings, person_id: str) -> Home:
    """What a person's Home tab shows; the parts of other roles are left out."""
    asked = (
        select(Ticket)
        .where(Ticket.asker_id == person_id, Ticket.surface != Surface.IMPORT)
        .order_by(col(Ticket.created_at).desc())
        .limit(OWN_SHOWN)
    )
    queue = None
    if permissions.is_reviewer(settings, person_id):
        queue = ReviewQueue(reviews.counts(session), reviews.queue(session, QUEUE_SHOWN))
    operations = _operations(session) if permissions.is_admin(settings, person_id) else None
    return Home(session.exec(asked).all(), queue, operations)


def _operations(session: Session) -> Operations:
    night = nights.latest(session)
    earlier = adapters.earlier(session)
    return Operations(
        production=adapters.production(session),
        versions=[_version(session, adapter) for adapter in adapters.versions(session)[:VERSIONS_SHOWN]],
        earlier=earlier[0] if earlier else "",
        moves=_moves(session),
        night=night_lines(session, night) if night else (),
        night_open=night is not None and night.state in (NightState.REQUESTED, NightState.RUNNING),
    )


def _version(session: Session, adapter: Adapter) -> Version:
    compared = evaluations.of_candidate(session, adapter.name)
    verdict = compared.verdict.value if compared else ""
    return Version(adapter.name, adapter.state, adapter.created_at, verdict, adapter.note)


def _moves(session: Session) -> list[str]:
    words = {PromotionKind.PROMOTE: "promoted", PromotionKind.ROLLBACK: "rolled back to"}
    return [
        f"<@{move.person_id}> {words[move.kind]} *{'the base model' if move.adapter == BASE else move.adapter}*, "
        f"{slack_date(move.created_at)}"
        for move in adapters.promotions(session, MOVES_SHOWN)
    ]


def night_lines(session: Session, night: Night) -> list[str]:
    """How a night stands, in words: its state, its outcome, and the progress of a step under way."""
    lines = [f"*Night of {night.key}* · {NIGHT_WORDS[night.state]}"]
    if night.outcome:
        lines.append(plain_label(night.outcome, 600))
    compared = evaluations.of_night(session, night.id or 0)
    if compared is not None and compared.summary not in night.outcome:
        lines.append(plain_label(compared.summary, 600))
    if night.state == NightState.RUNNING:
        stages = nights.stages(session, night.id or 0)
        lines += [_progress(stage.stage, stage.result) for stage in stages if stage.state == StageState.RUNNING]
    return lines


def _progress(stage: Stage, result: dict[str, Any]) -> str:
    words = f"⏳ {stage.value} …"
    if stage == Stage.TRAIN and result.get("steps"):
        words += f" step {result.get('step', 0)} of {result['steps']}"
        if result.get("loss") is not None:
            words += f", loss {float(result['loss']):.2f}"
        if result.get("tokens_per_s"):
            words += f", {float(result['tokens_per_s']):.0f} tokens/s"
        if result.get("seconds_left") is not None:
            words += f", about {float(result['seconds_left']):.0f} s left"
    return words


async def keep_current(services: Services) -> None:
    """While a night runs, refresh the Home tab of the admins who looked at it lately; until cancelled."""
    shown: list[str] = []
    while True:
        await asyncio.sleep(REFRESH_EVERY_S)
        recently = time.monotonic() - WATCHED_FOR_S
        watchers = [person for person, opened in services.home_watchers.items() if opened > recently]
        if not watchers:
            continue
        try:
            lines = await services.store.read(_latest_lines)
            if lines == shown:
                continue
            shown = lines
            for person_id in watchers:
                opened = services.home_watchers[person_id]
                await publish(services, person_id)
                services.home_watchers[person_id] = opened
        except SlackApiError as error:
            log.warning("a Home tab could not be refreshed: %s", posting.error_of(error))


def _latest_lines(session: Session) -> list[str]:
    night = nights.latest(session)
    return night_lines(session, night) if night else []
