"""A clean scene on Slicer's core for each test; without ``slicer-core`` these tests are skipped, and say so."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import SimpleITK as sitk

OBLIQUE = sitk.VersorTransform((0.3, 0.5, 0.2), 0.7).GetMatrix()


@pytest.fixture
def scene():
    """The embedded scene, emptied."""
    if importlib.util.find_spec("slicer") is None:
        pytest.skip("SLICER-CORE MISSING: pip install slicer-core to run the MRML tests")
    from bonequant import mrml

    scene = mrml.embedded()
    scene.Clear(0)
    yield scene
    scene.Clear(0)


@pytest.fixture
def oblique() -> sitk.Image:
    """7 x 6 x 5 voxels of noise on an oblique, anisotropic grid off the origin."""
    rng = np.random.default_rng(1)
    image = sitk.GetImageFromArray(rng.normal(size=(5, 6, 7)).astype(np.float32))
    image.SetSpacing((1.1, 2.2, 3.3))
    image.SetOrigin((-11.3, 22.7, 1 / 3))
    image.SetDirection(OBLIQUE)
    return image


@pytest.fixture
def points() -> list[list[float]]:
    """Twenty LPS points (mm) within 30 mm of the origin."""
    return np.random.default_rng(2).uniform(-30, 30, (20, 3)).tolist()
