"""Takes the rows of forgotten people out of the datasets on disk."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlmodel import Session, col, select

from store import artifacts, erasure
from store.session import Store
from store.tables import Dataset


def purge_datasets(store: Store) -> int:
    """Rewrite every dataset that holds a ticket of a forgotten person, without those rows; how many were rewritten.

    A dataset never changes otherwise. Safe to call again: a file that was cleaned already is left as it is, so what a
    crash cut short is done by the next call, which every night makes.
    """
    with store.reading() as session:
        wiped = erasure.to_purge(session)
        datasets = session.exec(select(Dataset).where(col(Dataset.id).in_(wiped))).all()
    return sum(_purge(store, dataset, wiped[dataset.id or 0]) for dataset in datasets)


def _purge(store: Store, dataset: Dataset, wiped: set[int]) -> bool:
    path = Path(dataset.path)
    if not path.is_file():
        return False
    rows = pq.read_table(path)
    kept = rows.filter(pc.invert(pc.is_in(rows["ticket_id"], pa.array(sorted(wiped), pa.int64()))))
    manifest = dataset.manifest
    if kept.num_rows < rows.num_rows:
        manifest = {**manifest, "erased_rows": manifest.get("erased_rows", 0) + rows.num_rows - kept.num_rows}
        with artifacts.rewriting(path.parent):
            new = path.with_suffix(".new")
            pq.write_table(kept, new, compression="zstd")
            new.replace(path)
            manifest["sha256"] = artifacts.sha256_of(path)
            artifacts.write_json(path.parent / artifacts.MANIFEST, manifest)
    sha256 = artifacts.sha256_of(path)
    if sha256 == dataset.sha256:
        return False
    with store.writing() as session:
        _record(session, dataset, {**manifest, "sha256": sha256})
    return True


def _record(session: Session, dataset: Dataset, manifest: dict[str, Any]) -> None:
    row = session.get_one(Dataset, dataset.id)
    row.manifest, row.sha256 = manifest, str(manifest["sha256"])
