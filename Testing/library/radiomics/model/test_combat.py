"""ComBat against its defining equations and against planted differences between centres."""

from __future__ import annotations

import numpy as np
import pytest
from bonequant.errors import InputError
from bonequant.radiomics.model import fit_combat

CENTRES = ["A"] * 60 + ["B"] * 40 + ["C"] * 50


def planted(seed: int = 0, features: int = 40) -> np.ndarray:
    """Normal features; centre B shifted by about 2 SD and twice as wide, C shifted the other way."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(150, features)) * random.uniform(1, 5, features) + random.uniform(-10, 10, features)
    sd = x.std(axis=0)
    x[60:100] = x[60:100].mean(axis=0) + 2 * (x[60:100] - x[60:100].mean(axis=0))
    x[60:100] += sd * random.normal(2, 0.3, features)
    x[100:] -= sd * random.normal(1, 0.3, features)
    return x


def test_estimates_solve_the_posterior_equations():
    """Equations of Johnson et al. 2007, section 3.2, written out for one centre with the priors by moments."""
    x = planted()
    found = fit_combat(x, CENTRES)
    z = (x - found.mean) / found.sd
    for at, centre in enumerate(found.centres):
        own = z[[name == centre for name in CENTRES]]
        n, raw, spread = len(own), own.mean(axis=0), own.var(axis=0, ddof=1)
        prior_mean, prior_variance = raw.mean(), raw.var(ddof=1)
        shape = (2 * spread.var(ddof=1) + spread.mean() ** 2) / spread.var(ddof=1)
        rate = (spread.mean() * spread.var(ddof=1) + spread.mean() ** 3) / spread.var(ddof=1)
        location, variance = found.location[at], found.scale[at] ** 2
        np.testing.assert_allclose(
            location, (n * prior_variance * raw + variance * prior_mean) / (n * prior_variance + variance), atol=1e-9
        )
        np.testing.assert_allclose(
            variance, (rate + 0.5 * ((own - location) ** 2).sum(axis=0)) / (n / 2 + shape - 1), rtol=1e-8
        )
    np.testing.assert_allclose(found.mean, x.mean(axis=0), rtol=1e-12)  # centres weighted by their lesions


def test_planted_differences_go():
    """From 2.3 SD between centres to what shrinkage leaves: less than the standard error of a difference, 0.2 SD."""
    x = planted()
    after = fit_combat(x, CENTRES).apply(x, CENTRES)
    assert np.median(between_centres(x)[0]) > 2 and np.median(between_centres(x)[1]) > 1.9
    apart, wider = between_centres(after)
    assert np.median(apart) < 0.2 and apart.max() < 0.5
    assert np.median(wider) < 1.15 and wider.max() < 1.35  # an SD of 40 lesions has itself an error of 11 %


def between_centres(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Range of the centres' means over the mean SD, and largest over smallest SD, of each feature."""
    groups = [x[:60], x[60:100], x[100:]]
    sds = np.array([group.std(axis=0, ddof=1) for group in groups])
    apart = np.ptp([group.mean(axis=0) for group in groups], axis=0) / sds.mean(axis=0)
    return apart, sds.max(axis=0) / sds.min(axis=0)


def test_a_lesion_of_an_unknown_centre_stays_as_it_is():
    x = planted()
    found = fit_combat(x, CENTRES)
    np.testing.assert_array_equal(found.apply(x[:2], ["D", "D"]), x[:2])
    assert found.unseen(["A", "D"]) == ("D",)


def test_few_lesions_and_few_centres():
    x = planted()
    found = fit_combat(x, [*CENTRES[:-1], "alone"])
    assert found.skipped == ("alone",) and "alone" not in found.centres
    with pytest.raises(InputError, match="2 centres"):
        fit_combat(x, ["A"] * 150)
    single = fit_combat(x[:, :1], CENTRES).apply(x[:, :1], CENTRES)  # one feature teaches no prior
    assert single[60:100].mean() == pytest.approx(single[:60].mean(), abs=1e-9)
