"""The liver CT phantom: dual supply that the fit gives back, organs where the stated breath puts them, CT in DICOM."""

from __future__ import annotations

import bonequant.io as io
import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.kinetics import fit
from bonequant.phantom import liver_preset, simulate_liver, write_dynamic_series
from bonequant.phantom.dynamic_liver import TISSUES, liver_curve, liver_inputs


@pytest.mark.parametrize("name", list(TISSUES))
def test_the_curves_obey_the_balance_of_contrast(name):
    """dC/dt = k1a Ca + k1p Cp - k2 C by central differences on the 0.1 s grid (second order: 1e-4 of the peak flow)."""
    aorta, portal = liver_inputs(60.0)
    tissue, t = TISSUES[name], np.arange(1.0, 55.0, 0.1)
    c = liver_curve(t, aorta, portal, tissue)
    slope = np.gradient(c, 0.1 / 60.0)
    inflow = tissue.alp / 100 * np.interp(t - tissue.delay_arterial_s, aorta.times_s, aorta.values, left=0)
    inflow += tissue.pvp / 100 * np.interp(t - tissue.delay_portal_s, portal.times_s, portal.values, left=0)
    balance = slope - inflow + tissue.k2 * c
    assert np.abs(balance[2:-2]).max() < 2e-3 * np.abs(slope).max()


def test_dual_input_gives_back_the_truth_from_the_images():
    """At rest and without noise, 1 s frames, true inputs: 3 % on ALP, PVP and HPI is what the fit must hold."""
    scan = simulate_liver(liver_preset("small", breathing_mm=0.0, noise_hu=0.0, interval_s=1.0, duration_s=60.0))
    frames, times = scan.series.frames, scan.series.times_s
    for name, truth in scan.truth.items():
        if name == "tumour_3":
            continue  # a tenth of the normal supply: checked by its curve above
        mask = sitk.GetArrayViewFromImage(scan.masks[name]) > 0
        core = sitk.GetArrayFromImage(sitk.BinaryErode(scan.masks[name], [1, 1, 1])) > 0
        assert 0 < core.sum() < mask.sum()
        curve = frames[:, core].mean(axis=1, dtype=float)
        curve -= curve[:5].mean()
        assert curve == pytest.approx(scan.curves[name], abs=0.2)
        delayed = scan.aorta.__class__(scan.aorta.times_s + truth.delay_arterial_s, scan.aorta.values)
        found = fit(times, scan.curves[name][None], delayed, "dual_input_liver", portal=scan.portal)
        assert found["alp"][0] == pytest.approx(truth.alp, rel=0.03)
        assert found["pvp"][0] == pytest.approx(truth.pvp, rel=0.03)
        assert found["hpi"][0] == pytest.approx(truth.hpi, rel=0.03)


def test_organs_lie_where_the_breath_puts_them():
    scan = simulate_liver(liver_preset("small", noise_hu=0.0, duration_s=6.0))
    assert np.abs(scan.displacement_mm[:, 2]).max() > 13.0
    spine = scan.series.frames[:, 15, 50, 48]
    assert np.ptp(spine) < 1.0  # the bone stays
    dome = []
    for t in range(len(scan.series.times_s)):
        column = scan.series.frames[t, :, 32, 32]  # through the middle of the right lobe, lung above
        z = np.flatnonzero(column > -380.0).max()
        low, high = column[z + 1], column[z]
        dome.append(scan.series.geometry.origin[2] + 5.0 * (z + (high + 380.0) / (high - low)))
    shift = np.array(dome) - dome[0]
    # The dome slopes and slices are 5 mm thick, half of them lung: its height under one column is known to 2 mm.
    assert shift == pytest.approx(scan.displacement_mm[:, 2], abs=2.0)


def test_written_as_ct_and_read_back(tmp_path):
    scan = simulate_liver(liver_preset("small", duration_s=6.0))
    folder = write_dynamic_series(scan.series, tmp_path, timing="siemens", name="perfusion")
    read = io.load_dynamic(folder)
    assert (read.modality, read.unit) == ("CT", "HU")
    assert np.array_equal(read.frames, np.rint(scan.series.frames))
    assert read.times_s == pytest.approx(scan.series.times_s, abs=1e-5)
    again = simulate_liver(liver_preset("small", duration_s=6.0))
    assert np.array_equal(again.series.frames, scan.series.frames)
