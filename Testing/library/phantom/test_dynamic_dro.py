"""Reference objects: the simulation reproduces QIBA's own object, and the truth is what an exact fit finds."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.kinetics import fit
from bonequant.phantom import Tissue, extended_tofts_dro, noisy_signal, qiba_dro
from bonequant.phantom.dynamic_tissue import spgr, tissue_curve
from bonequant.volume import Curve


def test_qiba_object_is_reproduced_from_its_own_input(data):
    """Signals of QIBA v6 from its Cp, R10 and S0. 0.5 %: its makers sum rectangles where we convolve exactly."""
    from scipy.io import loadmat

    qiba = loadmat(data / "qiba_dro_v6" / "qiba6.mat", squeeze_me=True)
    times = qiba["t"] * (60.0 if qiba["t"][-1] < 60 else 1.0)
    aif = Curve(times, qiba["Cp"], "mM")
    settings = qiba_dro(frames=10).settings
    for i, ktrans in enumerate(settings.ktrans):
        for j, ve in enumerate(settings.ve):
            curve = tissue_curve(times, aif, Tissue(ktrans, ktrans / ve, 0.0))
            r10, s0 = qiba["R10"][i, j], qiba["S0"][i, j]
            signal = spgr(curve, 1 / r10, tr_s=float(qiba["TR"]), flip_angle_deg=30.0, relaxivity=4.5, s0=s0)
            assert signal == pytest.approx(qiba["DCEdata"][:, i, j], rel=5e-3), (ktrans, ve)


def test_qiba_layout_and_truth():
    dro = qiba_dro(frames=661)
    assert dro.series.frames.shape == (661, 1, 80, 50)
    curves, truth = dro.curves()
    found = fit(dro.settings.times_s, curves, dro.aif, "tofts")
    for name in ("ktrans", "ve"):
        error = np.abs(found[name] / truth[name] - 1)
        assert error.max() < 0.005, name
    assert dro.truth["ktrans"][0, 10, 0] == 0.01
    assert dro.truth["ktrans"][0, 69, 49] == 0.35
    assert dro.truth["ve"][0, 69, 49] == 0.5
    assert np.isnan(dro.truth["ve"][0, :10]).all()
    blood = sitk.GetArrayFromImage(dro.blood) > 0
    assert blood[0, 70:].all()
    assert not blood[0, :70].any()
    assert dro.concentration.frames[:, blood].mean(axis=1) == pytest.approx(0.55 * dro.aif_at_frames.values, rel=1e-5)


def test_extended_tofts_grid_without_noise_is_exact():
    """Float32 signals of 1e-7 and the solver's own search leave less than 0.1 %."""
    dro = extended_tofts_dro(0.0, patch=1)
    curves, truth = dro.curves()
    found = fit(dro.settings.times_s, curves, dro.aif, "extended_tofts")
    for name in ("ktrans", "ve", "vp"):
        assert np.abs(found[name] / truth[name] - 1).max() < 1e-3, name


def test_noise_has_the_stated_size_and_the_seed_decides():
    noisy, clean = extended_tofts_dro(20.0), extended_tofts_dro(0.0)
    inside = sitk.GetArrayFromImage(noisy.tissue) > 0
    difference = (noisy.concentration.frames - clean.concentration.frames)[:, inside]
    ratio = difference * 20.0 / clean.concentration.frames[:, inside].max(axis=0)
    assert (ratio**2).mean() == pytest.approx(1.0, rel=0.01)  # 480,000 values: 0.2 %
    assert np.array_equal(extended_tofts_dro(20.0).concentration.frames, noisy.concentration.frames)
    assert not np.array_equal(extended_tofts_dro(20.0, seed=2).concentration.frames, noisy.concentration.frames)
    magnitude = noisy_signal(clean, 50.0)
    assert (magnitude.frames[0] - clean.series.frames[0])[inside].std() == pytest.approx(
        clean.series.frames[0][inside].mean() / 50.0, rel=0.05
    )
