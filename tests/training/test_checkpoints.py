"""Only checkpoints that were written to the end count."""

from pathlib import Path

from trainer.training.checkpoints import latest, mark_complete


def checkpoint(folder: Path, step: int, *, complete: bool) -> Path:
    made = folder / f"checkpoint-{step}"
    made.mkdir(parents=True)
    (made / "adapter_model.safetensors").write_bytes(b"weights" * step)
    (made / "optimizer.pt").write_bytes(b"moments" * step)
    if complete:
        mark_complete(made)
    return made


def test_the_newest_whole_checkpoint_is_taken(tmp_path: Path) -> None:
    checkpoint(tmp_path, 9, complete=True)
    tenth = checkpoint(tmp_path, 10, complete=True)
    assert latest(tmp_path) == tenth


def test_one_that_was_cut_off_or_damaged_is_removed(tmp_path: Path) -> None:
    whole = checkpoint(tmp_path, 8, complete=True)
    damaged = checkpoint(tmp_path, 9, complete=True)
    (damaged / "optimizer.pt").write_bytes(b"mom")
    cut_off = checkpoint(tmp_path, 10, complete=False)
    assert latest(tmp_path) == whole
    assert not damaged.exists()
    assert not cut_off.exists()


def test_none_is_no_error(tmp_path: Path) -> None:
    assert latest(tmp_path / "missing") is None
