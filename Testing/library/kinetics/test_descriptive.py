"""Arrival, descriptive measures and maximum slope against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from bonequant.errors import InputError
from bonequant.kinetics import (
    arrival_index,
    baseline_frames,
    clearance_rate,
    descriptive,
    early_late_ratio,
    max_slope_liver,
    max_slope_perfusion,
    population_aif,
    washout,
)

UNEVEN_S = np.concatenate([np.arange(0.0, 30.0, 3.0), np.arange(30.0, 150.0, 6.0)])


def ramp(start: float, slope: float, stop: float) -> np.ndarray:
    return slope * np.clip(UNEVEN_S - start, 0.0, stop - start)


def test_a_ramp_has_known_measures():
    curves = np.stack([ramp(12.0, 0.5, 60.0), ramp(21.0, 2.0, 42.0), np.zeros_like(UNEVEN_S)])
    found = descriptive(UNEVEN_S, curves)
    assert np.allclose(found["arrival_s"][:2], [12.0, 21.0]) and np.isnan(found["arrival_s"][2])
    assert np.allclose(found["peak"], [24.0, 42.0, 0.0])
    assert np.allclose(found["time_to_peak_s"][:2], [48.0, 21.0])
    assert np.allclose(found["max_slope"], [0.5, 2.0, 0.0])
    assert found["auc"][0] == pytest.approx(24.0 * 24.0 + 24.0 * (UNEVEN_S[-1] - 60.0))
    assert found["iauc60"][0] == pytest.approx(48.0 * 24.0 / 2.0 + 12.0 * 24.0)  # exact between frames: 12 to 72 s


def test_arrival_of_a_noisy_bolus_is_within_a_frame():
    """Parker's bolus at 40 s, 2 s frames, SNR 20: the break is found within one frame of the foot in 95 % of curves."""
    times = np.arange(0.0, 200.0, 2.0)
    clean = population_aif(times, delay_s=40.0).values
    noisy = clean + np.random.default_rng(0).normal(0.0, clean.max() / 20.0, (500, len(times)))
    foot = times[arrival_index(times, clean)[0]]
    assert abs(foot - 42.0) <= 2.0
    assert np.mean(np.abs(times[arrival_index(times, noisy)] - foot) <= 2.0) > 0.95
    assert 18 <= baseline_frames(times, clean) <= 23


def test_curves_that_are_not_finite_give_nan():
    curves = np.stack([ramp(12.0, 1.0, 60.0)] * 2)
    curves[1, 4] = np.nan
    found = descriptive(UNEVEN_S, curves)
    assert all(np.isfinite(v[0]) and np.isnan(v[1]) for v in found.values())
    assert arrival_index(UNEVEN_S, curves)[1] == -1


def test_maximum_slope_is_its_definition():
    """Piecewise-linear liver, 0.4 then 0.9 HU/s; aorta 300, portal vein 150 HU; the spleen peaks at 42 s."""
    liver = ramp(18.0, 0.4, 42.0) + ramp(48.0, 0.9, 90.0)
    aorta = 300.0 * np.exp(-(((UNEVEN_S - 24.0) / 9.0) ** 2))
    spleen = ramp(18.0, 5.0, 42.0) - 2.0 * ramp(42.0, 1.0, 150.0)
    portal = 150.0 * np.exp(-(((UNEVEN_S - 60.0) / 15.0) ** 2))
    found = max_slope_liver(UNEVEN_S, liver, aorta, spleen, portal)
    alp, pvp = 6000.0 * 0.4 / 300.0, 6000.0 * 0.9 / 150.0
    assert found["alp"][0] == pytest.approx(alp, rel=1e-6)
    assert found["pvp"][0] == pytest.approx(pvp, rel=1e-6)
    assert found["tlp"][0] == pytest.approx(alp + pvp, rel=1e-6)
    assert found["hpi"][0] == pytest.approx(100.0 * alp / (alp + pvp), rel=1e-6)
    assert max_slope_liver(UNEVEN_S, liver, aorta, spleen)["pvp"][0] == pytest.approx(6000.0 * 0.9 / 300.0, rel=1e-6)

    # Blomley: 0.4/5 of the spleen, which falls 2 HU/s after its peak, comes off: the portal slope gains 0.16 HU/s.
    corrected = max_slope_liver(UNEVEN_S, liver, aorta, spleen, portal, blomley=True)
    assert corrected["pvp"][0] == pytest.approx(6000.0 * (0.9 + 0.08 * 2.0) / 150.0, rel=1e-6)
    assert corrected["alp"][0] == pytest.approx(alp, rel=1e-6)
    assert max_slope_perfusion(UNEVEN_S, liver, aorta)[0] == pytest.approx(6000.0 * 0.9 / 300.0, rel=1e-6)


def test_maximum_slope_refuses_what_cannot_be_parted():
    flat = np.zeros_like(UNEVEN_S)
    good = ramp(18.0, 1.0, 60.0)
    with pytest.raises(InputError, match="aorta does not enhance"):
        max_slope_liver(UNEVEN_S, good, flat, good)
    with pytest.raises(InputError, match="one phase has no frames"):
        max_slope_liver(UNEVEN_S, good, good, ramp(0.0, 1.0, 1e9))
    curves = np.stack([good, np.full_like(good, np.nan)])
    found = max_slope_liver(UNEVEN_S, curves, good, good - 0.1 * ramp(60.0, 1.0, 150.0))
    assert np.isfinite(found["alp"][0]) and all(np.isnan(v[1]) for v in found.values())


def test_dynamic_spect_measures():
    times = np.arange(30.0, 3600.0, 60.0)
    curves = np.stack([100.0 * np.exp(-0.05 * times / 60.0), np.full_like(times, 7.0), -np.ones_like(times)])
    assert np.allclose(clearance_rate(times, curves, (300.0, 1800.0))[:2], [0.05, 0.0], atol=1e-12)
    assert np.isnan(clearance_rate(times, curves, (300.0, 1800.0))[2])
    ratio = early_late_ratio(times, curves, (0.0, 60.0), (630.0, 640.0))
    assert np.allclose(ratio[:2], [np.exp(0.05 * 10.0), 1.0]) and np.isnan(ratio[2])
    assert washout(times, curves, (0.0, 60.0), (630.0, 640.0))[0] == pytest.approx(100.0 * (1.0 - np.exp(-0.5)))
    with pytest.raises(InputError, match="No frame lies"):
        washout(times, curves, (0.0, 10.0), (600.0, 660.0))
