"""ComBat: location and scale of each feature brought together over centres by parametric empirical Bayes.

Source: Johnson, Li & Rabinovic, Biostatistics 2007;8:118, sections 3.1 and 3.2. Model Y_ijg = a_g + c_ig + d_ig e_ijg
for lesion j of centre i, feature g. Standardised data Z = (Y - a_g)/s_g; c_ig ~ N(m_i, t_i^2), d_ig^2 ~ inverse
gamma(l_i, h_i) with the moments of the features' own estimates; posterior means by alternating
    c* = (n t^2 c^ + d*^2 m)/(n t^2 + d*^2),    d*^2 = (h + 1/2 sum (Z - c*)^2)/(n/2 + l - 1).
The labels are no covariate: they are not known for a new lesion. So a centre with more metastases keeps less of what
sets them apart; the report says when the classes differ between centres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bonequant.errors import InputError
from bonequant.statistics.checks import Floats

_STEPS = 1000
_DONE = 1e-10  # largest relative change of an estimate
LEAST = 2  # lesions of a centre from which a scale can be estimated


@dataclass(frozen=True, eq=False)
class Combat:
    """Centres (C,), grand mean and pooled SD (P,), location and scale (C, P) of the centres in units of that SD.

    ``skipped``: centres in the training lesions with too few of them to be harmonised.
    """

    centres: tuple[str, ...]
    mean: Floats
    sd: Floats
    location: Floats
    scale: Floats
    skipped: tuple[str, ...]

    def apply(self, x: Floats, centres: Sequence[str]) -> Floats:
        """``x`` (N, P) of lesions from ``centres`` (N,), harmonised; lesions of unknown centres stay as they are."""
        result = np.array(x, dtype=np.float64)
        for at, centre in enumerate(self.centres):
            rows = np.array([name == centre for name in centres], dtype=bool)
            z = (result[rows] - self.mean) / self.sd
            result[rows] = (z - self.location[at]) / self.scale[at] * self.sd + self.mean
        return result

    def unseen(self, centres: Sequence[str]) -> tuple[str, ...]:
        """Those of ``centres`` to which nothing is done."""
        return tuple(sorted(set(centres) - set(self.centres)))


def fit_combat(x: Floats, centres: Sequence[str]) -> Combat:
    """Estimate from ``x`` (N, P), no constant column, and each lesion's centre.

    Raises InputError unless two centres have two lesions each.
    """
    names, counts = np.unique(np.asarray(centres, dtype=str), return_counts=True)
    known = tuple(names[counts >= LEAST].tolist())
    if len(known) < 2:
        raise InputError(
            f"ComBat needs at least 2 centres of {LEAST} lesions or more, not {len(known)}: leave harmonise off."
        )
    member = np.array([[name == centre for name in centres] for centre in known])
    used = x[member.any(axis=0)]
    member = member[:, member.any(axis=0)]
    share = member.sum(axis=1) / len(used)
    means = np.array([used[rows].mean(axis=0) for rows in member])
    mean = share @ means
    sd = np.sqrt(np.mean((used - member.T.astype(float) @ means) ** 2, axis=0))
    # A feature constant within every centre has no scale of its own: its whole spread is between the centres.
    sd = np.where(sd > 0, sd, used.std(axis=0))
    sd = np.where(sd > 0, sd, 1.0)
    z = (used - mean) / sd
    estimates = [_posterior(z[rows]) for rows in member]
    location, variance = (np.array(part) for part in zip(*estimates, strict=True))
    return Combat(known, mean, sd, location, np.sqrt(variance), tuple(names[counts < LEAST].tolist()))


def _posterior(z: Floats) -> tuple[Floats, Floats]:
    """Posterior location and variance of one centre's standardised lesions ``z`` (n, P), each shape (P,)."""
    n = len(z)
    raw_location, raw_variance = z.mean(axis=0), z.var(axis=0, ddof=1)
    if z.shape[1] < 2 or raw_location.var(ddof=1) == 0 or raw_variance.var(ddof=1) == 0:
        # No spread over features to learn a prior from: the centre's own estimates.
        return raw_location, np.where(raw_variance > 0, raw_variance, 1.0)
    prior_mean, prior_variance = raw_location.mean(), raw_location.var(ddof=1)
    centre, spread = raw_variance.mean(), raw_variance.var(ddof=1)
    shape, rate = 2 + centre**2 / spread, centre + centre**3 / spread  # moments of the inverse gamma
    location, variance = raw_location, np.where(raw_variance > 0, raw_variance, centre)
    for _ in range(_STEPS):
        before = location, variance
        location = (n * prior_variance * raw_location + variance * prior_mean) / (n * prior_variance + variance)
        squares = (n - 1) * raw_variance + n * (raw_location - location) ** 2
        variance = (rate + squares / 2) / (n / 2 + shape - 1)
        change = max(np.abs(location - before[0]).max(), np.abs(variance / before[1] - 1).max())
        if change < _DONE:
            break
    return location, variance
