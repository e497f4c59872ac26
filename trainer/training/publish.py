"""Publish an adapter: three files by allow-list, whole or not at all, with nothing executable and no machine path.

`Trainer.save_model` would also leave `training_args.bin` (a pickle), the tokenizer and a chat template, and PEFT
records the base model's folder on this machine. File formats: PEFT's "Checkpoint format".
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from store.artifacts import TEMPORARY, write_bytes, write_json
from store.failpoints import failpoint
from trainer.train import ADAPTER_WEIGHTS

CONFIG = "adapter_config.json"
CARD = "README.md"


def publish(model: Any, folder: Path, base_name: str, card: str) -> None:
    """Write the adapter of a PEFT model to `folder`, which appears only when complete."""
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=TEMPORARY))
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=TEMPORARY) as raw:
        model.save_pretrained(raw)
        config = json.loads((Path(raw) / CONFIG).read_text())
        config["base_model_name_or_path"] = base_name
        config["target_modules"] = sorted(config["target_modules"])
        write_bytes(temporary / ADAPTER_WEIGHTS, (Path(raw) / ADAPTER_WEIGHTS).read_bytes())
    write_json(temporary / CONFIG, config)
    write_bytes(temporary / CARD, card.encode())
    failpoint("adapter.written")
    shutil.rmtree(folder, ignore_errors=True)
    temporary.chmod(0o755)
    temporary.rename(folder)
    failpoint("adapter.published")
