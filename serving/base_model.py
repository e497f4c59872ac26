"""The base model on this machine: fetched or converted once, named, and known by the sha256 of its weights.

An adapter is only valid on the weights it was trained on, so every part that handles adapters compares this hash.
"""

import fcntl
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel as Document
from pydantic import ValidationError

from serving import bundled_model
from store.artifacts import manifest_sha256, new_folder, sha256_of, write_json
from store.errors import BadInput, NightschoolError
from store.settings import Settings

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
HUB_FILES = ["*.safetensors", "*.json", "*.jinja", "tokenizer.model", "*.txt", "README.md"]
CHAT_TEMPLATE = "chat_template.jinja"
CARD = "README.md"
CARD_HEAD = re.compile(r"---\n(?P<head>.*?)\n---\n", re.DOTALL)

Say = Callable[[str], None]


@dataclass(frozen=True)
class BaseModel:
    """A base model's folder, the sha256 over its weight files, and its short name."""

    path: Path
    sha256: str
    name: str

    @property
    def chat_template(self) -> Path | None:
        """The template file that turns messages into a prompt, where the model has it as a file."""
        file = self.path / CHAT_TEMPLATE
        return file if file.is_file() else None


class _Weight(Document):
    bytes: int
    changed_ns: int
    sha256: str


class _Record(Document):
    """What was seen at the last start, so that unchanged gigabytes need not be hashed again."""

    weights: dict[str, _Weight]


def ensure_base_model(settings: Settings, say: Say = print) -> BaseModel:
    """The base model that the settings name, made ready on this machine; quick when it is there already.

    Raises:
        BadInput: the setting names neither the bundled model, nor a folder, nor a Hugging Face id.
        NightschoolError: it cannot be fetched, or its files changed since they were.
    """
    wanted = settings.base_model
    models = settings.models
    models.mkdir(parents=True, exist_ok=True)
    local = Path(wanted).expanduser()
    if wanted == bundled_model.NAME:
        name, folder = wanted, models / wanted
        with _lock(models, name):
            if not folder.exists():
                _build_bundled(folder, say)
    elif local.is_dir():
        name, folder = local.resolve().name, local.resolve()
    elif HUB_ID.fullmatch(wanted):
        name = wanted.replace("/", "--").lower()
        folder = models / name
        with _lock(models, name):
            if not folder.exists():
                _download(wanted, folder, say)
    else:
        raise BadInput(
            f"NIGHTSCHOOL_BASE_MODEL is {wanted!r}, which is neither {bundled_model.NAME!r}, nor a folder, "
            "nor a Hugging Face id such as 'Qwen/Qwen3-0.6B'."
        )
    _check_complete(folder)
    with _lock(models, name):
        digest = _weights_sha256(folder, models / f"{name}.json", fixed=folder.parent == models)
    return BaseModel(path=folder, sha256=digest, name=name)


def licence_of(folder: Path) -> str:
    """The licence that a base model's own card names, by the Hub's identifiers such as `apache-2.0`; empty if none."""
    if folder.name == bundled_model.NAME:
        return bundled_model.LICENCE
    card = folder / CARD
    found = CARD_HEAD.match(card.read_text(errors="replace")) if card.is_file() else None
    try:
        head = yaml.safe_load(found["head"]) if found else None
    except yaml.YAMLError:
        return ""
    return str(head.get("license") or "") if isinstance(head, dict) else ""


@contextmanager
def _lock(models: Path, name: str) -> Iterator[None]:
    # Several processes start at once (bot, trainer, vLLM): one fetches, the others wait for it.
    with (models / f".{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build_bundled(folder: Path, say: Say) -> None:
    for stale in folder.parent.glob(f".{folder.name}.*/"):
        shutil.rmtree(stale, ignore_errors=True)
    started = time.monotonic()
    say("Fetching and converting the small model SmolLM2-135M-Instruct (once, 93 MB) …")
    with new_folder(folder) as temporary:
        bundled_model.build(temporary)
    say(f"The small model is ready after {time.monotonic() - started:.0f} s.")


def _download(hub_id: str, folder: Path, say: Say) -> None:
    """Fetch a model from Hugging Face; an interrupted download goes on where it stopped."""
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    started = time.monotonic()
    say(f"Downloading {hub_id} from Hugging Face (once) …")
    part = folder.parent / f".{folder.name}.part"
    try:
        snapshot_download(hub_id, local_dir=part, allow_patterns=HUB_FILES)  # nosec B615
    except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise NightschoolError(
            f"The model {hub_id} could not be downloaded: {reason} Check the name, the network, HF_HUB_OFFLINE and, "
            "for a gated model, HF_TOKEN; or set NIGHTSCHOOL_BASE_MODEL to a local model folder."
        ) from error
    shutil.rmtree(part / ".cache", ignore_errors=True)
    part.rename(folder)
    say(f"{hub_id} is ready after {time.monotonic() - started:.0f} s.")


def _check_complete(folder: Path) -> None:
    if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
        raise BadInput(
            f"The model folder {folder} has no config.json or no *.safetensors file. "
            "Point NIGHTSCHOOL_BASE_MODEL at a folder in Hugging Face's format with safetensors weights."
        )


def _weights_sha256(folder: Path, record_file: Path, *, fixed: bool) -> str:
    """One sha256 for all weight files; hashed again only where a file's size or time changed.

    A `fixed` folder is our own and never changes: a difference there is damage, not a new model.
    """
    try:
        seen = _Record.model_validate_json(record_file.read_text()).weights
    except (FileNotFoundError, ValidationError):
        seen = {}
    found: dict[str, _Weight] = {}
    for file in sorted(folder.glob("*.safetensors")):
        status = file.stat()
        known = seen.get(file.name)
        if known and (known.bytes, known.changed_ns) == (status.st_size, status.st_mtime_ns):
            found[file.name] = known
        else:
            found[file.name] = _Weight(bytes=status.st_size, changed_ns=status.st_mtime_ns, sha256=sha256_of(file))
    digests = {name: weight.sha256 for name, weight in found.items()}
    if fixed and seen and digests != {name: weight.sha256 for name, weight in seen.items()}:
        raise NightschoolError(
            f"The weights in {folder} changed since they were installed. Delete that folder and {record_file}, "
            "then start again to fetch them anew."
        )
    if found != seen:
        write_json(record_file, _Record(weights=found).model_dump())
    return manifest_sha256(digests)
