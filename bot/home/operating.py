"""What the admins' part of the Home tab says, read from the store."""

from typing import Any

from sqlmodel import Session

from bot.blocks.card import slack_date
from bot.blocks.home.operating import Operations, Version
from bot.safe_text import plain_label
from store import adapters, evaluations, nights
from store.tables import BASE, Adapter, Night
from store.words import NightState, PromotionKind, Stage, StageState

VERSIONS_SHOWN = 8
MOVES_SHOWN = 3

NIGHT_WORDS = {
    NightState.SCHEDULED: "🗓 planned",
    NightState.REQUESTED: "⏳ about to start",
    NightState.RUNNING: "🌙 running",
    NightState.DONE: "✅ done",
    NightState.DECLINED: "😴 nothing to learn",
    NightState.FAILED: "⚠️ failed",
}


def operations(session: Session) -> Operations:
    """Versions, what answers now, what can be gone back to, how the last night went."""
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
