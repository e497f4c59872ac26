"""What the admins' part of the Home tab says, read from the store."""

import re
from pathlib import Path
from typing import Any

from sqlmodel import Session

from bot.blocks.canary import canary_block
from bot.blocks.home.documents import Documents
from bot.blocks.home.operating import Operations
from bot.blocks.home.places import Places
from bot.blocks.home.versions import Version, Versions
from bot.safe_text import plain_label
from serving.canary import judge
from store import adapters, canaries, channels, evaluations, lineage, nights, trials
from store.canary_tally import tally
from store.duties import grants
from store.knowledge import library
from store.settings import Settings
from store.tables import Night
from store.words import NightState, Stage, StageState

VERSIONS_SHOWN = 6
MOVES_SHOWN = 3

SLACK_ID = re.compile("[UW][A-Z0-9]+")

NIGHT_WORDS = {
    NightState.SCHEDULED: "🗓 planned",
    NightState.REQUESTED: "⏳ about to start",
    NightState.RUNNING: "🌙 running",
    NightState.DONE: "✅ done",
    NightState.DECLINED: "😴 nothing to learn",
    NightState.FAILED: "⚠️ failed",
    NightState.CANCELLED: "✋ cancelled",
}


def operations(session: Session, settings: Settings, person_id: str) -> Operations:
    """What an admin sees; usage is counted elsewhere, see `bot.home.usage`."""
    night = nights.latest(session)
    return Operations(
        versions=_versions(session, settings, person_id),
        night=night_lines(session, night) if night else (),
        night_open=night is not None and night.state in (NightState.REQUESTED, NightState.RUNNING),
        cancelling=night is not None and bool(night.cancelled_by),
        documents=_documents(session),
        places=Places(channels.changed(session), settings.admins, settings.reviewers, grants(session)),
    )


def _documents(session: Session) -> Documents:
    rows = library.documents(session)
    usable = [row for row in rows if not row.problem]
    return Documents(
        count=len(usable),
        changed_at=max((row.updated_at for row in rows), default=None),
        problems=[(row.source, row.problem) for row in rows if row.problem],
    )


def _versions(session: Session, settings: Settings, person_id: str) -> Versions:
    earlier = adapters.earlier(session)
    trial = trials.of(session, person_id)
    canary = canaries.running(session)
    return Versions(
        production=adapters.production(session),
        shown=[
            Version(known, Path(known.adapter.path).is_dir()) for known in lineage.lineages(session, VERSIONS_SHOWN)
        ],
        earlier=earlier[0] if earlier else "",
        moves=adapters.promotions(session, MOVES_SHOWN),
        tried=trial.adapter if trial else "",
        tried_until=trial.until if trial else None,
        canary=canary.adapter if canary else "",
        canary_block=canary_block(canary, judge(tally(session, canary), settings.canary).words) if canary else None,
    )


def night_lines(session: Session, night: Night) -> list[str]:
    """How a night stands, in words: its state, its outcome, and the progress of a step under way."""
    lines = [f"*Night of {night.key}* · {NIGHT_WORDS[night.state]}"]
    if night.outcome:
        lines.append(plain_label(night.outcome, 600).replace(*_named(night.cancelled_by)))
    compared = evaluations.of_night(session, night.id or 0)
    if compared is not None and compared.summary not in night.outcome:
        lines.append(plain_label(compared.summary, 600))
    if night.state == NightState.RUNNING:
        stages = nights.stages(session, night.id or 0)
        lines += [_progress(stage.stage, stage.result) for stage in stages if stage.state == StageState.RUNNING]
        if night.cancelled_by:
            lines.append(f"✋ Cancelled by {_named(night.cancelled_by)[1]}; it ends within seconds.")
    return lines


def _named(person_id: str) -> tuple[str, str]:
    """A person's id, and the mention of it; whoever cancelled at the command line has a name alone."""
    label = plain_label(person_id, 100)
    return (label, f"<@{person_id}>") if SLACK_ID.fullmatch(person_id) else (label, label)


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
