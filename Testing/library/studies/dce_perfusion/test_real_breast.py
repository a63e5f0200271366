"""The breast series of DCEMRI.jl with its flip angles and measured input: the tumour stands out in every map."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from bonequant.studies.dce_perfusion import DceResult


@pytest.fixture(scope="module")
def result(root: Path, data: Path) -> DceResult:
    specification = importlib.util.spec_from_file_location("pictures_dce", root / "tools" / "pictures" / "dce.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.measured(data / "dce_breast_curves" / "invivo.mat")


def test_the_tumour_is_clearly_above_its_surroundings(result: DceResult) -> None:
    tumour, around = result.regions["tumour"], result.regions["around"]
    assert tumour.of_voxels["ktrans"]["median"] > 4 * around.of_voxels["ktrans"]["median"]
    assert tumour.of_voxels["vp"]["median"] > 4 * around.of_voxels["vp"]["median"]
    assert tumour.of_mean_curve["ktrans"] > 2.5 * around.of_mean_curve["ktrans"]
    assert tumour.of_voxels["iauc60"]["median"] > 4 * around.of_voxels["iauc60"]["median"]


def test_values_are_those_of_tissue(result: DceResult) -> None:
    """T1 of breast tissue at the field of such scanners lies between fat's 0.3 s and 2 s of fluid."""
    assert 0.3 < result.regions["tumour"].of_voxels["t1"]["median"] < 2.0
    assert 0.03 < result.regions["tumour"].of_voxels["ktrans"]["median"] < 0.5
    assert result.regions["tumour"].r2 > 0.85
    known = result.maps["ktrans"].array[np.isfinite(result.maps["ktrans"].array)]
    assert len(known) == result.counts["fitted"]
