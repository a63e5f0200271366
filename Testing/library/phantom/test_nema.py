"""The NEMA phantom recovers as the analytic formulas say, measured on the SPECT grid with cubic B-splines."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.phantom import NemaSettings, nema_ct, simulate_nema, sphere_centers, sphere_diameters, sphere_points
from bonequant.phantom.nema import blurred_sphere
from bonequant.volume import sample_at
from scipy.integrate import quad

# Interpolating a 4.42 mm grid leaves 0.2 % at 22 mm and 0.6 % at 13 mm; the tolerances are the project's own targets.
TOLERANCE = {"sphere_13": 0.02, "sphere_17": 0.02, "sphere_22": 0.01, "sphere_28": 0.01, "sphere_37": 0.01}


def rc_mean(diameter: float, fwhm: float) -> float:
    """Integral over the pair distance d inside the sphere (Kessler 1984), by quadrature."""
    radius, s = diameter / 2, fwhm / 2.354820045

    def integrand(d: float) -> float:
        overlap = 1 - 3 * d / (4 * radius) + d**3 / (16 * radius**3)
        return overlap * np.sqrt(2 / np.pi) * d**2 / s**3 * np.exp(-(d**2) / (2 * s**2))

    return quad(integrand, 0, 2 * radius)[0]


def test_the_closed_form_gives_the_published_table():
    """Recovery at the centre and in the mean at 8 and 12 mm FWHM, to the three digits of the table."""
    for fwhm, centre, mean in (
        (8, (0.461, 0.699, 0.900, 0.985, 0.999, 1.0), (0.311, 0.431, 0.547, 0.642, 0.715, 0.783)),
        (12, (0.190, 0.347, 0.574, 0.802, 0.944, 0.996), (0.151, 0.248, 0.368, 0.485, 0.584, 0.679)),
    ):
        sigma = fwhm / 2.354820045
        for diameter, at_centre, in_mean in zip((10, 13, 17, 22, 28, 37), centre, mean, strict=True):
            radius = diameter / 2
            assert float(blurred_sphere(np.zeros(1), radius, sigma)[0]) == pytest.approx(at_centre, abs=6e-4)
            shell = quad(lambda r: 3 * r**2 / radius**3 * float(blurred_sphere(r, radius, sigma)), 0, radius)[0]  # noqa: B023
            assert shell == pytest.approx(in_mean, abs=6e-4)


@pytest.mark.parametrize("voxel", ["mean", "point"])
@pytest.mark.parametrize("fwhm", [8.0, 10.0, 15.0])
def test_recovery_on_the_grid(fwhm, voxel):
    scan = simulate_nema(NemaSettings(fwhm_mm=fwhm, voxel=voxel))
    hot, warm = scan.settings.sphere_bq_per_ml, scan.settings.background_bq_per_ml
    for name, tolerance in TOLERANCE.items():
        measured = (sample_at(scan.spect.image, sphere_points(name)).mean() - warm) / (hot - warm)
        assert measured == pytest.approx(rc_mean(sphere_diameters()[name], scan.fwhm_mm), rel=tolerance), name


def test_recovery_with_masks_of_the_ct():
    """The same with binary masks drawn on the CT; the centre of the field is off the grid on purpose."""
    scan = simulate_nema(NemaSettings(center_mm=(1.3, -0.9, -35.7)))
    _, masks = nema_ct((0.9765625, 0.9765625, 1.5))
    for name, tolerance in TOLERANCE.items():
        mask = masks[name]
        index = np.argwhere(sitk.GetArrayViewFromImage(mask))[:, ::-1].astype(float)
        points = np.asarray(mask.GetOrigin()) + index * np.asarray(mask.GetSpacing())
        measured = (sample_at(scan.spect.image, points).mean() - 5000.0) / 35000.0
        assert measured == pytest.approx(rc_mean(sphere_diameters()[name], scan.fwhm_mm), rel=tolerance), name


def test_body_and_insert():
    """Background far from every edge is the background; deep in the insert next to nothing is left."""
    scan = simulate_nema()
    far = np.array([[95.0, 45.0, -60.0], [0.0, -85.0, -80.0]])
    assert sample_at(scan.spect.image, far) == pytest.approx(5000.0, rel=2e-3)
    # The axis of a cold cylinder of radius 25 under this Gaussian keeps exp(-R^2 / 2 s^2) of its surroundings.
    sigma = scan.fwhm_mm / 2.354820045
    left = 5000.0 * np.exp(-(25.0**2) / (2 * sigma**2))
    assert sample_at(scan.spect.image, np.array([[0.0, 0.0, -70.0]]))[0] == pytest.approx(left, abs=5.0)


def test_volumes_and_places():
    """Sphere volumes 0.524 to 26.522 mL, body of 9.7 L as NEMA phantoms are filled with."""
    _, masks = nema_ct((0.9765625, 0.9765625, 1.0))
    voxel = 0.9765625**2 / 1000
    for name, volume in (("sphere_37", 26.522), ("sphere_22", 5.575)):
        assert sitk.GetArrayViewFromImage(masks[name]).sum() * voxel == pytest.approx(volume, rel=0.01)
    section = np.pi * 150**2 / 2 + np.pi * 80**2 / 2 + 140 * 80
    body = sitk.GetArrayViewFromImage(masks["body"]).sum() * voxel
    assert body == pytest.approx(section * 214 / 1000, rel=0.006)  # 214 or 215 planes of 1 mm
    assert [round(float(np.hypot(x, y)), 6) for x, y, _ in sphere_centers().values()] == [57.27] * 6


def test_noise_is_that_of_counts():
    quiet = simulate_nema().spect.array.astype(float)
    noisy = simulate_nema(NemaSettings(total_counts=5e6)).spect.array
    scale = 5e6 / quiet.sum()
    inside = quiet > 4500.0
    pulls = (noisy[inside] - quiet[inside]) * scale / np.sqrt(quiet[inside] * scale)
    assert pulls.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * inside.sum()))
