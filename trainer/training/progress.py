"""The progress file: one JSON line a step, and the held-out loss after each epoch."""

import json
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_utils import IntervalStrategy

from store.artifacts import write_bytes
from store.errors import NightschoolError
from store.failpoints import failpoint
from trainer.training import team

# The first steps include compiling and warming up: a speed taken from them would mislead.
WARMUP_STEPS = 3


class ProgressFile:
    """Appends the steps of one method to `progress.jsonl`; a resumed one first drops what came after its checkpoint."""

    def __init__(self, file: Path, method: str, resumed_step: int) -> None:
        kept: list[dict[str, Any]] = []
        before = file.read_text() if file.exists() else ""
        lines = [json.loads(line) for line in before.splitlines() if line.endswith("}")]
        kept = [line for line in lines if line["method"] != method or line["step"] <= resumed_step]
        after = "".join(json.dumps(line) + "\n" for line in kept)
        # Whoever follows the file reads a new one from its beginning.
        if team.leads() and (after != before or not before):
            write_bytes(file, after.encode())
        self._file = file
        self.method = method
        self.seconds = float(kept[-1]["seconds"]) if kept else 0.0
        self.tokens = int(kept[-1]["tokens"]) if kept else 0
        of_method = [line for line in kept if line["method"] == method and "loss" in line]
        self.loss = float(of_method[-1]["loss"]) if of_method else 0.0

    def write(self, line: dict[str, Any]) -> None:
        """Add one line with the totals so far."""
        if not team.leads():
            return
        with self._file.open("a") as file:
            totals = {"tokens": self.tokens, "seconds": round(self.seconds, 3), "process": team.reported_process()}
            file.write(json.dumps({"method": self.method} | line | totals) + "\n")


class ProgressCallback(TrainerCallback):  # type: ignore[misc]
    """Writes each step's figures, asks for checkpoints by the clock, and stops when the parent is gone."""

    def __init__(self, progress: ProgressFile, checkpoint_every_s: float) -> None:
        self._progress = progress
        self._checkpoint_every_s = checkpoint_every_s
        self._ancestors = team.ancestors()
        self._step_started = self._checkpointed = time.monotonic()
        self._recent: list[tuple[int, float]] = []
        self._tokens = 0

    def count(self, tokens: int) -> None:
        """Note the real tokens (no padding) of the step that is running."""
        self._tokens += tokens

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Start the clocks after everything is loaded."""
        self._step_started = self._checkpointed = time.monotonic()

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        """Pass the named point at which a test may take the memory away."""
        failpoint("training.step")

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        """Close the step's clock; ask for a checkpoint when one is due."""
        if team.ancestors() != self._ancestors:
            raise NightschoolError("The process that started the training is gone; the next run goes on from here.")
        self._tokens = int(team.summed(self._tokens))
        now = time.monotonic()
        self._recent = [*self._recent, (self._tokens, now - self._step_started)]
        self._progress.tokens += self._tokens
        self._progress.seconds += now - self._step_started
        self._tokens, self._step_started = 0, now
        due = now - self._checkpointed >= self._checkpoint_every_s and state.global_step < state.max_steps
        if team.agreed(due):
            control.should_save = True
            self._checkpointed = now
        if state.global_step >= state.max_steps and args.eval_strategy != IntervalStrategy.NO:
            # Else the end, when it is between two evaluations, could not be found the best.
            control.should_evaluate = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: object,
    ) -> None:
        """Write the line of a step once its loss is known."""
        if not logs or "loss" not in logs:
            return
        steady = self._recent[WARMUP_STEPS:] or self._recent
        tokens, seconds = sum(count for count, _ in steady), sum(spent for _, spent in steady)
        self._progress.loss = logs["loss"]
        self._progress.write(
            {
                "step": state.global_step,
                "steps": state.max_steps,
                "loss": logs["loss"],
                "learning_rate": logs["learning_rate"],
                "tokens_per_s": round(tokens / seconds, 1),
                "seconds_left": round(seconds / len(steady) * (state.max_steps - state.global_step), 1),
            }
        )

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Leave out of the step's time what was measured after the epoch before."""
        self._step_started = time.monotonic()

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float],
        **_: object,
    ) -> None:
        """Write one line with the loss on the held-out rows, and none of the step's own."""
        loss = round(metrics["eval_loss"], 5)
        self._progress.write({"step": state.global_step, "steps": state.max_steps, "held_out_loss": loss})
        self._step_started = time.monotonic()
