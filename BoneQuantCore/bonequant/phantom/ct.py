"""CT of the torso: Hounsfield units with partial volume, the scanner's own blur and correlated noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from bonequant.phantom.torso import Torso
from bonequant.settings import Settings, setting
from bonequant.volume import Geometry, Volume, image_from_array

FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))
AIR_HU = -1000.0


@dataclass(frozen=True)
class CtSettings(Settings):
    """The CT scan: grid, blur, noise."""

    spacing_mm: tuple[float, float, float] = setting((0.9765625, 0.9765625, 3.0), unit="mm", low=0.3, high=10)
    field_mm: tuple[float, float, float] = setting((420.0, 300.0, 411.0), unit="mm", low=20, help="Extent x, y, z.")
    center_mm: tuple[float, float, float] = setting((0.0, 16.0, 17.0), unit="mm", help="Centre of the field, LPS.")
    blur_fwhm_mm: float = setting(1.1, unit="mm", low=0, high=5, help="In-plane blur of detector and kernel.")
    noise_hu: float = setting(18.0, unit="HU", low=0, high=200, help="Standard deviation of the noise in the body.")
    noise_fwhm_mm: float = setting(1.6, unit="mm", low=0, high=10, help="In-plane correlation of the noise.")
    seed: int = setting(1, low=0)

    @property
    def geometry(self) -> Geometry:
        return centered_grid(self.spacing_mm, self.field_mm, self.center_mm)


def simulate_ct(
    torso: Torso, settings: CtSettings | None = None, to_torso: sitk.Transform | None = None
) -> tuple[Volume, np.ndarray]:
    """CT in HU (int16) and the label of each voxel's centre (uint8, z y x).

    ``to_torso`` takes CT points to points of the torso (default: the patient lies straight).
    """
    s = CtSettings.of(settings)
    geometry = s.geometry
    (hu,), labels = torso.paint(geometry, [torso.hu()], [AIR_HU], to_torso)
    rng = np.random.default_rng([s.seed, 23])
    sigma = [s.blur_fwhm_mm / FWHM_PER_SIGMA / h for h in s.spacing_mm[1::-1]]
    grain = [s.noise_fwhm_mm / FWHM_PER_SIGMA / h for h in s.spacing_mm[1::-1]]
    gain = _noise_gain(grain)
    image = np.empty(geometry.shape, dtype=np.int16)
    for k, plane in enumerate(hu):
        if s.blur_fwhm_mm:
            plane = ndimage.gaussian_filter(plane, sigma, truncate=4.0)
        if s.noise_hu:
            noise = rng.standard_normal(plane.shape, dtype=np.float32)
            plane = plane + (s.noise_hu / gain) * ndimage.gaussian_filter(noise, grain, mode="wrap", truncate=4.0)
        image[k] = np.clip(np.rint(plane), -1024, 3071)
    return Volume(image_from_array(image, geometry), modality="CT", unit="HU", name="CT"), labels


def centered_grid(
    spacing: tuple[float, float, float], field_mm: tuple[float, float, float], center: tuple[float, float, float]
) -> Geometry:
    """Axis-parallel grid whose field of view is centred on ``center``."""
    size = [max(1, round(f / h)) for f, h in zip(field_mm, spacing, strict=True)]
    origin = [c - 0.5 * (n - 1) * h for c, n, h in zip(center, size, spacing, strict=True)]
    return Geometry(
        (size[0], size[1], size[2]), spacing, (origin[0], origin[1], origin[2]), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
    )


def _noise_gain(sigma: list[float]) -> float:
    """Standard deviation that white unit noise keeps after this filter."""
    impulse = np.zeros((65, 65))
    impulse[32, 32] = 1.0
    return float(np.sqrt(np.sum(ndimage.gaussian_filter(impulse, sigma, mode="wrap", truncate=4.0) ** 2)))
