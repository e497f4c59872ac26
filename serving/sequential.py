"""Is one arm of a roll-out worse than the other? A test that may be read after every answer.

Threads are drawn into the canary at random with a known share, so if both versions go wrong equally often, each thread
that went wrong is the canary's with just that probability, whatever the rate is and however it changes over the day.
The evidence is the likelihood ratio of larger shares, mixed over a Beta prior, against that one. It is a martingale
when nothing is worse, so by Ville's inequality it ever exceeds 1 / alpha with a probability of at most alpha: reading
it often, or stopping early, costs nothing (Robbins 1970, "Statistical methods related to the law of the iterated
logarithm"; Ramdas et al. 2023, "Game-theoretic statistics and safe anytime-valid inference").
"""

from math import exp, log

from scipy.special import betainc, betaln

CONCENTRATION = 12.0
"""How tightly the prior sits around the share of the canary, in events: fit for differences by half to the double."""
BROKEN = 2.0
"""As `CONCENTRATION`, for what goes wrong in one arm alone or not at all."""


def evidence_of_more(ours: int, both: int, share: float, concentration: float = CONCENTRATION) -> float:
    """How strongly it speaks for a larger share than `share` that `ours` of `both` events fell to the canary.

    1 is no evidence; from 1 / alpha on the canary is worse at level alpha.

    Raises:
        ValueError: `share` is not between 0 and 1, or more fell to the canary than there were.
    """
    if not 0 < share < 1 or not 0 <= ours <= both:
        raise ValueError(f"{ours} of {both} at a share of {share} cannot be.")
    theirs = both - ours
    a, b = concentration * share, concentration * (1 - share)
    above = _log_upper(a + ours, b + theirs, share) - _log_upper(a, b, share)
    return exp(min(above - ours * log(share) - theirs * log(1 - share), 700.0))


def evidence_of_less(ours: int, both: int, share: float) -> float:
    """As `evidence_of_more`, for a smaller share: that the canary is better.

    Raises:
        ValueError: as there.
    """
    return evidence_of_more(both - ours, both, 1 - share)


def _log_upper(a: float, b: float, share: float) -> float:
    """The logarithm of the integral of q^(a-1) (1-q)^(b-1) from `share` to 1."""
    return float(betaln(a, b) + log(max(float(betainc(b, a, 1 - share)), 1e-300)))
