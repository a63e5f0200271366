"""The real PET/CT pair and what is made from it, once for all tests of registration (``benchmarks.petct_pair``)."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.volume import Geometry, Volume, image_from_array, resample_to


@pytest.fixture(scope="session")
def pair(data: Path) -> ModuleType:
    """The module that makes pairs with known truth from ``petct_acrin``."""
    from benchmarks import petct_pair

    return petct_pair


@pytest.fixture(scope="session")
def truth(pair: ModuleType) -> sitk.Transform:
    """The hardest of three known misalignments: 30 mm and 8 degrees. CT points to SPECT points."""
    return pair.transforms(3)[-1]


@pytest.fixture(scope="session")
def spect(pair: ModuleType, truth: sitk.Transform) -> Volume:
    return pair.bone_spect(truth, seed=11)


@pytest.fixture(scope="session")
def ct(pair: ModuleType) -> Volume:
    return pair.pair()[1]


@pytest.fixture(scope="session")
def small_ct(ct: Volume) -> Volume:
    """The CT in voxels of 2 x 2 x 3.3 mm."""
    return Volume(sitk.BinShrink(sitk.Cast(ct.image, sitk.sitkFloat32), [2, 2, 1]), "CT", "HU", name="CT")


@pytest.fixture(scope="session")
def moved_ct(small_ct: Volume, truth: sitk.Transform) -> Volume:
    """A second CT of the same patient after ``truth``, with its own noise and 35 slices fewer."""
    geometry = small_ct.geometry
    moved = sitk.GetArrayFromImage(resample_to(small_ct.image, geometry, truth.GetInverse(), "linear", -1000.0))
    moved += np.random.default_rng(0).normal(0.0, 20.0, moved.shape).astype(np.float32)
    image = image_from_array(moved, geometry)[:, :, 20:-15]
    assert Geometry.of(image).origin[2] > geometry.origin[2]
    return Volume(image, "CT", "HU", name="second CT")
