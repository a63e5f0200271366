"""Recovery coefficients against the reference table, against quadrature, and against sampled calibration tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bonequant.errors import InputError, SettingsError
from bonequant.spect import RecoveryTable, correct_for_recovery, rc_centre, rc_mean, sphere_volume_ml
from scipy import integrate

DIAMETERS = (10, 13, 17, 22, 28, 37)
CENTRE = {
    8: (0.461, 0.699, 0.900, 0.985, 0.999, 1.000),
    10: (0.291, 0.496, 0.739, 0.918, 0.988, 1.000),
    12: (0.190, 0.347, 0.574, 0.802, 0.944, 0.996),
    15: (0.107, 0.209, 0.381, 0.606, 0.815, 0.962),
}
MEAN = {
    8: (0.311, 0.431, 0.547, 0.642, 0.715, 0.783),
    10: (0.215, 0.329, 0.452, 0.561, 0.648, 0.730),
    12: (0.151, 0.248, 0.368, 0.485, 0.584, 0.679),
    15: (0.091, 0.163, 0.267, 0.384, 0.493, 0.604),
}


@pytest.mark.parametrize("fwhm", CENTRE)
def test_reference_table(fwhm):
    np.testing.assert_array_equal(np.round([rc_centre(d, fwhm) for d in DIAMETERS], 3), CENTRE[fwhm])
    np.testing.assert_array_equal(np.round([rc_mean(d, fwhm) for d in DIAMETERS], 3), MEAN[fwhm])


@pytest.mark.parametrize(("diameter", "fwhm"), [(0.05, 20.0), (5.0, 12.0), (22.0, 10.0), (200.0, 8.0)])
def test_closed_forms_equal_the_integrals(diameter, fwhm):
    radius, s = diameter / 2, fwhm / math.sqrt(8 * math.log(2))
    centre = erf_form = math.erf(radius / (math.sqrt(2) * s))
    erf_form -= math.sqrt(2 / math.pi) * radius / s * math.exp(-(radius**2) / (2 * s**2))

    def shape(d):
        overlap = 1 - 3 * d / (4 * radius) + d**3 / (16 * radius**3)
        return overlap * math.sqrt(2 / math.pi) * d**2 / s**3 * math.exp(-(d**2) / (2 * s**2))

    mean, _ = integrate.quad(shape, 0, 2 * radius, epsabs=0, epsrel=1e-12, points=[min(s, radius)])
    assert rc_mean(diameter, fwhm) == pytest.approx(mean, rel=1e-10)
    # The erf form itself cancels for a sphere far below the PSF: its rounding is the tolerance.
    assert rc_centre(diameter, fwhm) == pytest.approx(erf_form, rel=1e-10, abs=1e-15 * max(centre, 1.0))


def test_correction_inverts_the_measurement():
    recovery = rc_mean(13, 10)
    measured = 20 + (100 - 20) * recovery
    assert correct_for_recovery(measured, recovery, 20) == pytest.approx(100)
    assert correct_for_recovery(50.0, 0.5) == 100.0
    for impossible in (0.0, -0.2, 2.0, math.nan):
        with pytest.raises(InputError, match="recovery"):
            correct_for_recovery(1.0, impossible)


def test_volumes_of_the_nema_spheres():
    assert sphere_volume_ml(10) == pytest.approx(0.524, abs=5e-4)
    assert sphere_volume_ml(37) == pytest.approx(26.522, abs=5e-4)


def test_calibration_table():
    table = RecoveryTable(
        volumes_ml=tuple(sphere_volume_ml(d) for d in DIAMETERS),
        coefficients=tuple(rc_mean(d, 10) for d in DIAMETERS),
        note="99mTc, LEHR",
    )
    assert table.at(sphere_volume_ml(22)) == pytest.approx(rc_mean(22, 10))
    for diameter in (11.5, 15.0, 19.0, 25.0, 32.0):
        # Linear in log volume between NEMA spheres follows the true curve to 0.004 of recovery.
        assert table.at(sphere_volume_ml(diameter)) == pytest.approx(rc_mean(diameter, 10), abs=0.004)
    assert RecoveryTable.from_json(table.to_json()) == table
    for outside in (0.1, 100.0):
        with pytest.raises(InputError, match="outside the recovery table"):
            table.at(outside)


def test_impossible_tables():
    with pytest.raises(InputError, match="ascend"):
        RecoveryTable(volumes_ml=(2.0, 1.0), coefficients=(0.5, 0.4))
    with pytest.raises(InputError, match="two spheres"):
        RecoveryTable(volumes_ml=(1.0,), coefficients=(0.4,))
    with pytest.raises(SettingsError):
        RecoveryTable(volumes_ml=(1.0, 2.0), coefficients=(0.4, 4.0))
    with pytest.raises(InputError, match="above zero"):
        rc_mean(0.0, 10)
