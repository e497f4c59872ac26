"""What the doctor found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what was looked at, what is wrong with it, and what to do."""

    about: str
    problem: str
    cure: str
