"""The second stage of a night: a training process on the frozen dataset, with its progress in the night's row."""

import time
from dataclasses import asdict
from pathlib import Path

from store import adapters, datasets, nights
from store.failpoints import failpoint
from store.settings import TrainingSettings
from store.tables import BASE, Dataset, TrainingRun, now
from store.words import Split, Stage
from trainer.curate.stage import start_in_words
from trainer.curves import draw_curves
from trainer.gpu import freed
from trainer.train import TrainingJob, TrainingProgress, TrainingResult, train
from trainer.work import Work

NOTE_EVERY_S = 1.0
SAY_EVERY_S = 10.0


def learn(work: Work) -> None:
    """Train an adapter, once; a training that was killed goes on from its checkpoint.

    Raises:
        TrainingFailed: the training process ended badly; the message says how.
        LeaseLost: another process has taken over the night.
    """
    dataset, run = _begin(work)
    if run.finished_at is not None:
        return
    failpoint("train.begun")
    watcher = _Watcher(work)
    with freed(work.settings, watcher.tell):
        result = train(_job(work, dataset, run), watcher, watcher.look, watcher.tell)
    failpoint("train.trained")
    curves = _draw(work, result)
    seconds, tokens, loss = round(result.seconds, 1), result.tokens, result.final_loss
    with work.writing() as session:
        run = session.merge(run)
        run.metrics, run.versions, run.finished_at = result.metrics, result.versions, now()
        facts = {"adapter": str(result.adapter), "seconds": seconds, "tokens": tokens, "final_loss": loss}
        facts |= {"preference": result.preference, "thumbs": result.thumbs, "kept": result.kept}
        facts |= {"parts": result.parts, "curves": str(curves)}
        nights.note(session, work.night_id, Stage.TRAIN, facts)
    failpoint("train.recorded")
    work.say(f"train: {tokens:,} tokens in {seconds:.0f} s, loss {loss:.3f} at the end")
    if kept := result.kept:
        work.say(f"train: step {kept['step']} was kept, with loss {kept['held_out_loss']:.3f} on the held-out answers")
    if told := result.preference:
        work.say(f"train: then {told['pairs']} preferences, loss {told['loss']:.3f} at the end")
    if voted := result.thumbs:
        work.say(f"train: then {voted['up']} 👍 and {voted['down']} 👎, loss {voted['loss']:.3f} at the end")


def _begin(work: Work) -> tuple[Dataset, TrainingRun]:
    with work.writing() as session:
        dataset = datasets.of_night(session, work.night_id)
        if dataset is None or dataset.id is None:
            raise LookupError(f"the night {work.night.key} has no dataset to train on")
        run = datasets.training_of(session, work.night_id)
        if run is None:
            run = TrainingRun(
                night_id=work.night_id,
                dataset_id=dataset.id,
                base_model=work.base.name,
                base_sha256=work.base.sha256,
                folder=str(work.settings.artifacts / "training" / work.night.key),
                seed=work.settings.training.seed,
                parameters=work.parameters,
            )
            session.add(run)
            session.flush()
    return dataset, run


def _draw(work: Work, result: TrainingResult) -> Path:
    path = work.settings.artifacts / "reports" / work.night.key / "training.png"
    kept = int(result.kept["step"]) if result.kept else None
    draw_curves(result.metrics, f"Training of night {work.night.key}", kept, path)
    return path


def _job(work: Work, dataset: Dataset, run: TrainingRun) -> TrainingJob:
    counts, start = dataset.manifest["rows"], dataset.manifest["start"]
    lineage = (
        f"Night {work.night.key}: {counts[Split.TRAIN]} reviewed answers, "
        f"{counts[Split.HELD_OUT]} held out, dataset sha256 {dataset.sha256}; {start_in_words(start)}"
    )
    parent = None
    if start["parent"] != BASE:
        with work.store.reading() as session:
            parent = Path(adapters.get(session, start["parent"]).path)
    return TrainingJob(
        folder=Path(run.folder),
        base_model=work.base.path,
        base_sha256=work.base.sha256,
        dataset=Path(dataset.path),
        settings=TrainingSettings.model_validate(run.parameters),
        name=lineage,
        preference=bool(dataset.manifest["methods"]["pairs"]),
        thumbs=bool(dataset.manifest["methods"].get("thumbs")),
        parent=parent,
    )


class _Watcher:
    """Passes the progress of a training on: often to the night's row, now and then to whoever listens."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._noted = self._said = self._looked = -SAY_EVERY_S

    def look(self) -> None:
        """Now and then, while there is no news as well: does anybody still want this night?"""
        seconds = time.monotonic()
        if seconds - self._looked >= NOTE_EVERY_S:
            self._looked = seconds
            self._work.check_wanted()

    def tell(self, sentence: str) -> None:
        """Something that whoever watches should know."""
        self._work.say(f"train: {sentence}")
        self._work.note(Stage.TRAIN, note=sentence)

    def __call__(self, progress: TrainingProgress) -> None:
        seconds, last = time.monotonic(), progress.step == progress.steps
        if last or seconds - self._noted >= NOTE_EVERY_S:
            self._noted = seconds
            self._work.note(Stage.TRAIN, **asdict(progress))
        if last or seconds - self._said >= SAY_EVERY_S:
            self._said = seconds
            self._work.say(
                f"train: {progress.method} step {progress.step} of {progress.steps}, loss {progress.loss:.2f}, "
                f"{progress.tokens_per_s:.0f} tokens/s, about {progress.seconds_left:.0f} s left"
            )
