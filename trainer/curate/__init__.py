"""From reviewed answers to a frozen dataset: each step drops rows and says how many and why."""
