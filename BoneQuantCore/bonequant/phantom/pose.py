"""Rigid poses by six numbers, and their composition, all as SimpleITK transforms in LPS mm."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from bonequant.phantom.shapes import Point
from bonequant.volume.geometry import matrix_of

Six = tuple[float, float, float, float, float, float]


def rigid(six: Six, center: Point = (0.0, 0.0, 0.0)) -> sitk.Euler3DTransform:
    """Shift (x, y, z in mm) and rotation (about x, y, z in degrees) about ``center``."""
    transform = sitk.Euler3DTransform()
    transform.SetCenter(center)
    transform.SetTranslation(six[:3])
    transform.SetRotation(*np.radians(six[3:]).tolist())
    return transform


def chain(*transforms: sitk.Transform | None) -> sitk.AffineTransform:
    """One transform that applies ``transforms`` from left to right: chain(a, b)(p) = b(a(p))."""
    matrix = np.eye(4)
    for transform in transforms:
        if transform is not None:
            matrix = matrix_of(transform) @ matrix
    result = sitk.AffineTransform(3)
    result.SetMatrix(matrix[:3, :3].ravel().tolist())
    result.SetTranslation(matrix[:3, 3].tolist())
    return result
