"""The first stage of a night: reviewed answers in, a frozen dataset out, or why there is nothing to learn."""

from collections.abc import Mapping, Sequence
from typing import Any

from serving.base_model import BaseModel
from store import artifacts, datasets, people
from store.failpoints import failpoint
from store.learning_policy import Objection
from store.session import Store
from store.settings import Settings
from store.tables import BASE, Dataset, DatasetRow, TrainingRun
from store.words import Split, Stage
from trainer.curate.continual import Start, choose_start, with_replay
from trainer.curate.duplicates import without_repeats, without_superseded
from trainer.curate.freeze import THUMB, Frozen, Row, fingerprint, freeze, rows_of
from trainer.curate.guard import Guard, follow_up
from trainer.curate.lesson import Lesson, Reason, Tally
from trainer.curate.methods import choose_methods
from trainer.curate.policy import lessons_of
from trainer.curate.purge import purge_datasets
from trainer.curate.redaction import without_personal_data
from trainer.curate.split import SplitPlan, assign, plan_splits
from trainer.curate.texts import ModelTexts, fitting
from trainer.curate.thumbs import LoneThumbs, apart
from trainer.work import Declined, Work, parameters_of


def curate(work: Work) -> None:
    """Freeze tonight's dataset, once.

    Raises:
        Declined: too little may be learnt, or nothing that the last training did not know; nothing is stored then.
        NightschoolError: the base model cannot be used.
    """
    with work.store.reading() as session:
        if datasets.of_night(session, work.night_id) is not None:
            return
    purge_datasets(work.store)
    lessons, plan, tally = collect(work.settings, work.store, work.base)
    follow_up(work, tally)
    failpoint("curate.sent_back")
    rows = rows_of(lessons, work.settings.training.correction_weight)
    if reason := why_useless(work.settings, work.store, work.base, rows, tally):
        raise Declined(reason)
    # The decisions come first: were they lost after the file was written, a held-out ticket might be learnt tomorrow.
    with work.writing() as session:
        datasets.put_into_groups(session, plan.new_groups)
        datasets.decide(session, plan.new_splits)
    failpoint("curate.decided")
    with work.store.reading() as session:
        start = choose_start(session, work.settings, work.base, rows)
    frozen = _freeze(work, rows, start, tally)
    failpoint("curate.frozen")
    with work.writing() as session:
        dataset = Dataset(night_id=work.night_id, path=str(frozen.path), sha256=frozen.sha256, manifest=frozen.manifest)
        datasets.add(session, dataset, [_origin(row) for row in rows])
    failpoint("curate.stored")
    _tell(work, frozen, tally)


def collect(settings: Settings, store: Store, base: BaseModel) -> tuple[list[Lesson], SplitPlan, Tally]:
    """What may be learnt as things stand, where each lesson belongs, and what was left out; nothing is stored.

    The last lessons are those that votes alone speak of, if such may teach.
    """
    night, training = settings.night, settings.training
    with store.reading() as session:
        reviewed = datasets.reviewed_answers(session)
        opted_out = datasets.tickets_with(session, people.opted_out(session, settings))
        grouped = datasets.grouped_questions(session)
        decided = datasets.splits(session)
        guard = Guard.of(session, settings.curation)
        thumbs = LoneThumbs.of(session, settings)
    tally, texts, aside = Tally(), ModelTexts(base.path), Tally()
    lessons = lessons_of(reviewed, night, opted_out, tally)
    lessons = without_personal_data(lessons, tally)
    lessons = fitting(lessons, texts, training.max_length, tally)
    lessons = without_superseded(lessons, tally)
    lessons = without_repeats(lessons, tally)
    lessons = guard.without_planted(lessons, tally)
    voted = thumbs.lessons(lessons, texts, guard, aside)
    plan = plan_splits([*lessons, *voted], grouped, decided, held_out_share=night.held_out_share, seed=training.seed)
    voted = thumbs.taught(apart(voted, lessons, plan, aside), plan, guard, aside)
    lessons = guard.without_contradictions(lessons, plan.groups, tally)
    lessons = guard.within_shares(assign(lessons, plan, tally), plan.groups, tally)
    tally.add_thumbs(aside)
    return [*lessons, *voted], plan, tally


def why_useless(settings: Settings, store: Store, base: BaseModel, rows: Sequence[Row], tally: Tally) -> str:
    """Why training on these rows would be in vain, in a sentence; empty where it would not."""
    count = sum(row["split"] == Split.TRAIN for row in rows)
    least = settings.training.min_rows
    if count < least:
        return (
            f"Only {count} reviewed answers may be learnt and {least} are needed{left_out(tally)}. "
            "Review more answers, import past tickets, or lower NIGHTSCHOOL_TRAINING__MIN_ROWS."
        )
    with store.reading() as session:
        last = datasets.last_trained(session)
    if last is not None and _same(settings, base, last, fingerprint(rows)):
        return (
            f"Nothing new to learn: the {count} reviewed answers are the ones that the last training learnt from, "
            "and no training setting has changed."
        )
    return ""


def _same(settings: Settings, base: BaseModel, last: tuple[Dataset, TrainingRun], train_sha256: str) -> bool:
    dataset, run = last
    same_data = dataset.manifest.get("train_sha256") == train_sha256
    return same_data and run.base_sha256 == base.sha256 and run.parameters == parameters_of(settings)


def _freeze(work: Work, rows: list[Row], start: Start, tally: Tally) -> Frozen:
    shown = rows
    if start.parent != BASE:
        shown = with_replay(
            rows, start.known, work.settings.training.replay_share, f"{work.settings.training.seed}:{work.night.key}"
        )
    folder = work.settings.artifacts / "datasets" / work.night.key
    # A folder without its row was left by a process that died in between: nothing refers to it.
    artifacts.discard(folder)
    night, training = work.settings.night, work.settings.training
    facts = {
        "night": work.night.key,
        "base_model": work.base.name,
        "base_sha256": work.base.sha256,
        "seed": training.seed,
        "held_out_share": night.held_out_share,
        "max_length": training.max_length,
        "correction_weight": training.correction_weight,
        "learn_private_channels": night.learn_private_channels,
        "learn_direct_messages": night.learn_direct_messages,
        "curation": work.settings.curation.model_dump(mode="json"),
        "dropped": {reason.value: count for reason, count in tally.dropped.items()},
        "dropped_thumbs": {reason.value: count for reason, count in tally.thumbs.items()},
        "masked": tally.masked,
        "start": _told(start, shown),
        "methods": choose_methods(shown, training),
        # Of the rows before the draw: what comes back tonight says nothing about whether there is something new.
        "train_sha256": fingerprint(rows),
    }
    return freeze(folder, shown, facts)


def _told(start: Start, shown: Sequence[Row]) -> dict[str, Any]:
    """The start as the manifest keeps it."""
    taught = [row for row in shown if row["split"] == Split.TRAIN]
    old = [row for row in taught if (row["answer_id"], row["review_id"]) in start.known]
    return {
        "parent": start.parent,
        "reason": start.reason,
        "new": len(taught) - len(old),
        "replayed": sum(row["weight"] > 0 for row in old),
        "resting": sum(row["weight"] == 0 for row in old),
    }


def _origin(row: Row) -> dict[str, Any]:
    columns = set(DatasetRow.model_fields)
    split = Split.TRAIN if row["split"] == THUMB else Split(row["split"])
    return {name: value for name, value in row.items() if name in columns} | {"split": split}


def _tell(work: Work, frozen: Frozen, tally: Tally) -> None:
    counts = frozen.manifest["rows"]
    train, held_out = counts[Split.TRAIN], counts[Split.HELD_OUT]
    dropped = frozen.manifest["dropped"]
    start, methods = frozen.manifest["start"], frozen.manifest["methods"]
    work.note(
        Stage.CURATE,
        train_rows=train,
        held_out_rows=held_out,
        dropped=dropped,
        start=start["reason"],
        methods=methods["reason"],
    )
    work.say(f"curate: {train} answers to learn from, {held_out} held out{left_out(tally)}")
    work.say(f"curate: {start_in_words(start)}")
    work.say(f"curate: {methods['reason']}")
    if tally.thumbs:
        work.say(f"curate: answers with votes alone left out: {counted(tally.thumbs)}")


def start_in_words(start: Mapping[str, Any]) -> str:
    """Where the training starts and what it is shown, of a manifest's `start`."""
    if start["parent"] == BASE:
        return str(start["reason"])
    known = start["replayed"] + start["resting"]
    return f"{start['reason']}: {start['new']} new answers, {start['replayed']} of {known} known ones again"


def left_out(tally: Tally) -> str:
    """What was masked and dropped, as the end of a sentence."""
    masked = f"; personal data masked in {tally.masked}" if tally.masked else ""
    if not tally.dropped:
        return masked
    return f"{masked}; left out: {counted(tally.dropped)}"


def counted(dropped: Mapping[Reason | Objection, int]) -> str:
    """What was dropped, with how many for each reason."""
    return ", ".join(f"{count} {reason.value}" for reason, count in dropped.items())
