"""Prompt, retrieval or fine-tuning: the same held-out tickets answered in six ways, measured side by side."""
