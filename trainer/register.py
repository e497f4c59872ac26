"""The third stage of a night: the trained adapter becomes a numbered version in a folder that never changes."""

import json
import shutil
from pathlib import Path

from sqlmodel import Session, select

from store import adapters, artifacts, datasets, nights
from store.errors import NightschoolError
from store.failpoints import failpoint
from store.tables import Adapter, Dataset, TrainingRun
from store.words import Stage
from trainer.work import Work

PUBLISHED = ("adapter_model.safetensors", "adapter_config.json", "README.md")
"""The only files of a training that are published: what trainers leave beside them may be pickles."""


def register(work: Work) -> Adapter:
    """Publish the adapter as the next version, a candidate, once.

    Raises:
        NightschoolError: the training left no adapter.
    """
    with work.store.reading() as session:
        if (known := of_night(session, work.night_id)) is not None:
            return known
        dataset, run = _origin(session, work)
        version = adapters.next_version(session)
        stage = nights.stage(session, work.night_id, Stage.TRAIN)
    trained = Path(stage.result["adapter"]) if stage is not None else Path(run.folder)
    folder, sha256 = _publish(work, trained, version, dataset)
    failpoint("register.published")
    with work.writing() as session:
        adapter = adapters.register(
            session,
            version=version,
            name=f"v{version}",
            path=str(folder),
            sha256=sha256,
            base_model=run.base_model,
            base_sha256=run.base_sha256,
            rank=work.settings.training.rank,
            training_run_id=run.id,
        )
        nights.note(session, work.night_id, Stage.REGISTER, {"adapter": adapter.name})
    failpoint("register.stored")
    work.say(f"register: {adapter.name}, sha256 {sha256[:12]}")
    return adapter


def of_night(session: Session, night_id: int) -> Adapter | None:
    """The version that a night made."""
    run = datasets.training_of(session, night_id)
    if run is None:
        return None
    return session.exec(select(Adapter).where(Adapter.training_run_id == run.id)).first()


def _origin(session: Session, work: Work) -> tuple[Dataset, TrainingRun]:
    dataset, run = datasets.of_night(session, work.night_id), datasets.training_of(session, work.night_id)
    if dataset is None or run is None:
        raise LookupError(f"the night {work.night.key} has no training to register")
    return dataset, run


def _publish(work: Work, trained: Path, version: int, dataset: Dataset) -> tuple[Path, str]:
    """The adapter's own folder, and the sha256 over its files."""
    if missing := [name for name in PUBLISHED if not (trained / name).is_file()]:
        raise NightschoolError(
            f"The training of night {work.night.key} left no {missing[0]} in {trained}. Run the night again."
        )
    files = {name: artifacts.sha256_of(trained / name) for name in PUBLISHED}
    sha256 = artifacts.manifest_sha256(files)
    folder = work.settings.artifacts / "adapters" / f"v{version}-{sha256[:12]}"
    # Left by a process that died before it stored the row: no server has been told of it yet.
    artifacts.discard(folder)
    with artifacts.new_folder(folder) as new:
        for name in PUBLISHED:
            shutil.copyfile(trained / name, new / name)
        config = json.loads((trained / "adapter_config.json").read_text())
        lineage = {
            "files": files,
            "base_model": work.base.name,
            "base_sha256": work.base.sha256,
            "dataset_sha256": dataset.sha256,
            "night": work.night.key,
            "rank": config["r"],
        }
        artifacts.write_json(new / artifacts.MANIFEST, lineage)
    return folder, sha256
