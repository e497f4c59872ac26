"""Times the steps of a Trainer from outside, stock or ours."""

import time

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class StepClock(TrainerCallback):  # type: ignore[misc]
    """Seconds, processor seconds, real tokens and loss of each step."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.cpu_seconds: list[float] = []
        self.tokens: list[int] = []
        self.losses: list[float] = []
        self._counted = 0
        self._started = self._cpu_started = 0.0

    def count(self, tokens: int) -> None:
        """Take the tokens of the running step from our trainer."""
        self._counted += tokens

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        """Start the clocks."""
        self._started, self._cpu_started = time.monotonic(), time.process_time()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        """Stop the clocks."""
        self.seconds.append(time.monotonic() - self._started)
        self.cpu_seconds.append(time.process_time() - self._cpu_started)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: object,
    ) -> None:
        """Take the loss; stock TRL logs the real tokens so far as well."""
        if logs and "loss" in logs:
            self.losses.append(logs["loss"])
            self._counted = int(logs.get("num_tokens", self._counted))
            self.tokens.append(self._counted - sum(self.tokens))
