"""Grids, points and shapes whose truth is known in closed form, for the tests of regions."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.volume import Geometry, image_from_array
from scipy.special import erf

TURNED = (0.36, 0.48, -0.8, -0.8, 0.6, 0.0, 0.48, 0.64, 0.6)  # an exact rotation matrix, no axis near another's
STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


class Shapes:
    """What the tests of this folder build their images from."""

    turned = TURNED

    @staticmethod
    def grid(size, spacing, direction=STRAIGHT, centre=(0.0, 0.0, 0.0)) -> Geometry:
        """A grid around ``centre``."""
        matrix = np.array(direction).reshape(3, 3)
        origin = np.array(centre) - matrix @ ((np.array(size) - 1) / 2 * np.array(spacing))
        return Geometry(tuple(size), tuple(spacing), tuple(origin.tolist()), tuple(direction))

    @staticmethod
    def points(grid: Geometry) -> np.ndarray:
        """Voxel centres in LPS mm, (Z, Y, X, 3)."""
        z, y, x = np.indices(grid.shape)
        return (np.stack([x, y, z, np.ones_like(x)], axis=-1) @ grid.index_to_physical.T)[..., :3]

    @classmethod
    def ball(cls, grid: Geometry, centre, radius: float) -> sitk.Image:
        """Binary mask of the voxel centres in a ball."""
        return image_from_array(np.linalg.norm(cls.points(grid) - centre, axis=-1) <= radius, grid)

    @classmethod
    def box(cls, grid: Geometry, low, high) -> sitk.Image:
        """Binary mask of the voxel centres in a box along the axes of the patient."""
        points = cls.points(grid)
        return image_from_array(((points >= low) & (points <= high)).all(axis=-1), grid)

    @staticmethod
    def blurred_ball(distance: np.ndarray, radius: float, fwhm: float) -> np.ndarray:
        """A ball of 1 convolved with a Gaussian, at ``distance`` mm from its centre: closed form."""
        s = fwhm / (2 * np.sqrt(2 * np.log(2)))
        d = np.maximum(distance, 1e-6)
        near, far = (radius - d) / s, (radius + d) / s
        gauss = np.exp(-(near**2) / 2) - np.exp(-(far**2) / 2)
        return 0.5 * (erf(near / np.sqrt(2)) + erf(far / np.sqrt(2))) - s / (d * np.sqrt(2 * np.pi)) * gauss

    @staticmethod
    def rigid(angles=(0.1, -0.15, 0.2), shift=(4.0, -3.0, 2.0)) -> sitk.Euler3DTransform:
        transform = sitk.Euler3DTransform()
        transform.SetRotation(*angles)
        transform.SetTranslation(shift)
        return transform

    @staticmethod
    def as_field(transform: sitk.Transform, half_mm: float = 80.0, step_mm: float = 2.0) -> sitk.Transform:
        """The same transform as a displacement field: non-linear to whoever looks at its type."""
        count = round(2 * half_mm / step_mm) + 1
        return sitk.DisplacementFieldTransform(
            sitk.TransformToDisplacementField(
                transform, sitk.sitkVectorFloat64, [count] * 3, [-half_mm] * 3, [step_mm] * 3
            )
        )

    @staticmethod
    def array(image: sitk.Image) -> np.ndarray:
        return sitk.GetArrayFromImage(image).astype(np.float64)


@pytest.fixture(scope="session")
def shapes() -> type[Shapes]:
    return Shapes
