"""The training process: one adapter from one dataset with TRL and PEFT. Started by `trainer.train`, never imported."""
