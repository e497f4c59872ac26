"""The settings of a training, and what every block of settings is made of."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode


def split_commas(value: object) -> object:
    """A list as the environment writes it: parts between commas; anything else as it is."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Block(BaseModel):
    """A block of settings, whose docstrings are what the settings page says."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class TrainingSettings(Block):
    """How the night trains an adapter."""

    rank: int = 16
    """LoRA rank; at most `serving.max_lora_rank`."""
    alpha: int = 32
    """LoRA scaling numerator."""
    epochs: float = 4.0
    """Passes over the training rows."""
    learning_rate: float = 8e-4
    """Peak learning rate of the AdamW optimizer."""
    batch_size: int = 8
    """Rows a step."""
    evaluations_per_epoch: int = Field(default=2, ge=1)
    """How often in an epoch the loss on the held-out rows is taken."""
    patience: int = Field(default=3, ge=0)
    """Stop after so many such losses in a row that are no better, and keep the best adapter; 0 trains to the end."""
    max_length: int = 1024
    """Longest training row in tokens; longer rows are left out and counted, never cut."""
    seed: int = 17
    """Seed of everything random: split, order, initial adapter weights."""
    min_rows: int = 8
    """The night declines when fewer reviewed rows than this may be learnt."""
    correction_weight: int = 4
    """How many times a reviewer's correction is shown in an epoch; an accepted answer is shown once."""
    start: Literal["auto", "base", "onward"] = "auto"
    """Where a night starts: from the base model on everything, onward from production, or the first while it fits."""
    max_minutes: float = Field(default=180.0, gt=0)
    """How long a training from the base model may take before `auto` goes onward from production instead."""
    replay_share: float = Field(default=0.5, ge=0, lt=1)
    """Share of what is shown in a training onward that earlier nights had learnt already."""
    onward_learning_rate: float = Field(default=0.5, gt=0, le=1)
    """Part of `learning_rate` that a training onward takes, so that it forgets less."""
    preference: Literal["auto", "off"] = "off"
    """`auto`: corrections are also learnt as preferences (DPO), against what the bot had said, where enough are."""
    min_pairs: int = Field(default=16, ge=1)
    """Fewer pairs of a correction and the bot's own answer than this, and the night learns without them."""
    preference_beta: float = Field(default=0.1, gt=0)
    """How closely a preference stage (DPO, KTO) keeps to what the stage before it made; higher is closer."""
    preference_learning_rate: float = Field(default=5e-5, gt=0)
    """Peak learning rate of a preference stage."""
    preference_epochs: float = Field(default=1.0, gt=0)
    """Passes of a preference stage over its pairs or thumbs."""
    thumbs: Literal["auto", "off"] = "off"
    """Whether votes on answers that nobody reviewed teach too (KTO), weighed by trust, where enough may."""
    min_thumbs: int = Field(default=16, ge=1)
    """Fewer such answers than this, and the night learns without them."""
    thumb_trust: float = Field(default=0.65, ge=0.5, lt=1)
    """How often a person's votes must agree with reviewers, smoothed, for their thumbs to teach; a coin does in 0.5."""
    threads: int = 0
    """CPU threads of each training process; 0 divides every core this process may use among them."""
    processes: int = Field(default=1, ge=1)
    """Processes that train together, one a GPU, by `accelerate launch`; `batch_size` must be a multiple of it."""
    gpu_memory_share: float = Field(default=1.0, gt=0, le=1)
    """Share of a GPU's memory that a training process may take; what is over runs in smaller parts."""
    launch_arguments: list[str] = []
    """More arguments of `accelerate launch` (JSON in the environment), such as those that name several machines."""
    report_to: Annotated[list[str], NoDecode, BeforeValidator(split_commas)] = []
    """Trackers that are told losses and settings, by transformers' names: `mlflow`, `wandb`, `tensorboard` …"""
