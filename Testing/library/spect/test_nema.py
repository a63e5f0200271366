"""The NEMA IEC body phantom, hot 8:1, drawn on its CT and seen by SPECT at 4.42 mm: GTM brings the spheres back."""

from __future__ import annotations

import pytest
import SimpleITK as sitk
from bonequant.phantom import NemaSettings, nema_ct, simulate_nema
from bonequant.spect import gtm, rc_mean


@pytest.fixture(scope="module")
def masks():
    _, found = nema_ct()  # 0.977 x 0.977 x 3 mm
    return {name: mask for name, mask in found.items() if name.startswith("sphere")}


@pytest.mark.parametrize("fwhm", [8.0, 10.0, 15.0])
def test_spheres_come_back(masks, fwhm):
    result = gtm(simulate_nema(NemaSettings(fwhm_mm=fwhm)).spect, masks, fwhm)
    # Asked for: 22 mm within 3 %. Reached: 1 %, the edge of a binary mask with 3 mm slices; half a voxel there is
    # worth more in a smaller sphere.
    for name, tolerance in (
        ("sphere_37", 0.01),
        ("sphere_28", 0.01),
        ("sphere_22", 0.01),
        ("sphere_17", 0.02),
        ("sphere_13", 0.02),
        ("sphere_10", 0.04),
    ):
        assert result.corrected[name] == pytest.approx(40_000, rel=tolerance), name
    assert result.corrected["background"] == pytest.approx(5_000, rel=0.015)


def test_what_is_measured_before_is_the_analytic_recovery(masks):
    scan = simulate_nema()
    result = gtm(scan.spect, masks, 10.0)
    for diameter, tolerance in ((37, 0.01), (28, 0.01), (22, 0.01), (17, 0.02), (13, 0.02)):
        expected = 5_000 + 35_000 * rc_mean(diameter, scan.fwhm_mm)
        assert result.measured[f"sphere_{diameter}"] == pytest.approx(expected, rel=tolerance)


def test_own_surroundings_beside_the_spheres(masks):
    """Body and cold insert as regions of their own instead of the shell."""
    _, everything = nema_ct()
    hot = sitk.Cast(sum((masks[name] for name in list(masks)[1:]), masks["sphere_10"]) > 0, sitk.sitkUInt8)
    insert = everything["lung_insert"]
    warm = everything["body"] * (1 - insert) * (1 - hot)
    result = gtm(simulate_nema().spect, {**masks, "lung_insert": insert, "warm": warm}, 10.0, background=False)
    assert result.corrected["sphere_22"] == pytest.approx(40_000, rel=0.01)
    # 3 mm slices cannot end where the body of 214 mm does: 1 % of its length, and so of its mean, is open.
    assert result.corrected["warm"] == pytest.approx(5_000, rel=0.01)
    assert result.corrected["lung_insert"] == pytest.approx(0, abs=50)
