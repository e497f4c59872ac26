"""The model card in an adapter's folder: data, measures, base model, licence and lineage, in the Hub's form.

Form: Hugging Face Hub documentation, "Model Cards". Scores against production come later, beside the night's report
(`trainer.card`): the folder never changes once it is published.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serving.base_model import licence_of

BASE_ITSELF = "the base model itself"
STAGES = {"dpo": "preference", "kto": "thumbs"}
OF_THE_MACHINE = {"gpu_memory_share", "launch_arguments", "processes", "report_to", "threads"}
"""Settings that say nothing about the adapter; addresses of machines are no business of its users."""


def model_card(job: Mapping[str, Any], data: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
    """The card of a job's adapter; `data` and `measured` are tables of what was learnt from and how it went."""
    base, licence = Path(job["base_model"]), licence_of(Path(job["base_model"]))
    methods = ["sft", *(name for name, stage in STAGES.items() if job[stage])]
    lineage = {
        "base model": base.name,
        "sha256 of the base weights": job["base_sha256"],
        "trained onward from": f"adapter with sha256 {job['parent_sha256']}" if job["parent"] else BASE_ITSELF,
        "sha256 of the training set": job["dataset_sha256"],
    }
    settings = {name: value for name, value in sorted(job["settings"].items()) if name not in OF_THE_MACHINE}
    return f"""---
base_model: {base.name}
license: {licence or "other"}
library_name: peft
pipeline_tag: text-generation
tags: [lora, {", ".join(methods)}, trl, nightschool]
---

# LoRA adapter of {job["name"]}

Trained on reviewed support answers of one team, for that team's bot; the loss was on the answers alone. It knows what
its reviewers stood behind by then, and nothing that changed since.

## Licence

{_licence_in_words(base.name, licence)} What the answers contain belongs to the team that wrote them.

## Lineage

{table(lineage)}

## Data

{table(data)}

## Measured in training

{table(measured)}

## Settings

{table(settings)}
"""


def table(rows: Mapping[str, Any]) -> str:
    """Rows of a name and a value as a Markdown table."""
    lines = [f"| {name} | {str(value).replace('|', chr(92) + '|')} |" for name, value in rows.items()]
    return "\n".join(["| | |", "| --- | --- |", *lines])


def _licence_in_words(base: str, licence: str) -> str:
    if licence:
        return f"The adapter can only be used with {base}, which is under {licence}: its terms hold here too."
    return f"The adapter can only be used with {base}, whose files here name no licence: look there for its terms."
