"""pyradiomics' texture classes on grey levels that are already made, in 3-D and per slice.

Source: pyradiomics 3.0.1 (van Griethuysen et al., Cancer Res 2017;77:e104) for the matrices and features; IBSI
reference manual, section 3.6, for the ways to aggregate. pyradiomics' own binning is overridden: the levels are IBSI's.

What pyradiomics calls GLDM is IBSI's NGLDM; the three features it lacks are added here.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import MissingDependencyError

TEXTURES = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")
# Of a single grey level these are 0/0; pyradiomics returns a placeholder (0, 1 or 10^6).
NEED_TWO_LEVELS = {
    "firstorder": ("Skewness", "Kurtosis"),
    "glcm": ("Correlation", "Imc1", "Imc2", "MCC"),
    "ngtdm": ("Coarseness", "Contrast", "Busyness", "Strength"),
}


def texture(kind: str, levels: np.ndarray, dimensions: str, aggregation: str) -> dict[str, float]:
    """Features of one texture class.

    Args:
        kind: one of TEXTURES.
        levels: int32 (z, y, x), 0 outside the region, as small a box as may be.
        dimensions: "3d", "2.5d" or "2d".
        aggregation: "averaged" or "merged" directions.

    Returns:
        Feature name, in pyradiomics' order, to value; NaN where no slice has one.
    """
    options = aggregation_options(levels, dimensions, aggregation, kind)
    if dimensions != "2d":
        return _calculate(kind, levels, options)
    rows = [_calculate(kind, plane[None], options) for plane in levels if plane.any()]
    return {name: _mean([row[name] for row in rows]) for name in rows[0]}


def _mean(values: list[float]) -> float:
    real = [value for value in values if np.isfinite(value)]
    return float(np.mean(real)) if real else float("nan")


def aggregation_options(levels: np.ndarray, dimensions: str, aggregation: str, kind: str) -> dict[str, Any]:
    """pyradiomics' settings for these ways to aggregate."""
    options: dict[str, Any] = {"force2D": dimensions != "3d", "force2Ddimension": 0, "highest_level": int(levels.max())}
    if aggregation == "merged" and kind in ("glcm", "glrlm"):
        options["weightingNorm"] = "no_weighting"
    return options


def _calculate(kind: str, levels: np.ndarray, options: dict[str, Any]) -> dict[str, float]:
    if levels.size == 1:  # pyradiomics finds no direction in a single voxel
        levels = np.pad(levels, ((0, 0), (1, 1), (1, 1)))
    mask = sitk.GetImageFromArray((levels > 0).astype(np.uint8))
    with quiet():
        values = feature_class(kind)(sitk.GetImageFromArray(levels), mask, **options).execute()
    features = {name: float(np.real(value)) for name, value in values.items()}
    if levels[levels > 0].min() == levels.max():
        features |= dict.fromkeys(NEED_TWO_LEVELS.get(kind, ()), float("nan"))
    return features


@contextmanager
def quiet() -> Iterator[None]:
    """0/0 and the mean of nothing are NaN here, and flagged; pyradiomics and NumPy need not warn of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


@functools.cache
def feature_class(kind: str) -> Any:
    """pyradiomics' class with binning switched off and what it lacks of IBSI's features added."""
    module = pyradiomics(kind)
    base = getattr(module, "RadiomicsFirstOrder" if kind == "firstorder" else f"Radiomics{kind.upper()}")

    class Discretised(base):  # type: ignore[misc, valid-type]
        __module__ = base.__module__  # pyradiomics names its loggers by it

        @classmethod
        @functools.cache
        def getFeatureNames(cls) -> dict[str, bool]:
            return super().getFeatureNames()

        def _applyBinning(self, matrix: np.ndarray) -> np.ndarray:
            if "levels" in self.settings:  # the class keeps intensities, perhaps with a frame around them
                levels = self.settings["levels"]
                frame = [((a - b) // 2,) * 2 for a, b in zip(matrix.shape, levels.shape, strict=True)]
                matrix = np.pad(levels, frame)
            self.coefficients["grayLevels"] = np.flatnonzero(np.bincount(matrix.ravel())[1:]) + 1
            self.coefficients["Ng"] = self.settings["highest_level"]  # of the region, also in one slice of it
            return matrix

    if kind != "gldm":
        return Discretised

    class Ngldm(Discretised):
        __module__ = base.__module__

        def getGrayLevelNonUniformityNormalizedFeatureValue(self) -> np.ndarray:
            return (self.coefficients["pg"] ** 2).sum(1) / self.coefficients["Nz"] ** 2

        def getDependencePercentageFeatureValue(self) -> np.ndarray:
            return self.coefficients["Nz"] / self.maskArray.sum()

        def getDependenceEnergyFeatureValue(self) -> np.ndarray:
            return ((self.P_gldm / self.coefficients["Nz"][:, None, None]) ** 2).sum((1, 2))

    return Ngldm


@functools.cache
def pyradiomics(module: str) -> ModuleType:
    """A module of pyradiomics. Raises MissingDependencyError where it is not installed."""
    import importlib
    import logging

    try:
        found = importlib.import_module(f"radiomics.{module}")
    except ImportError as error:
        raise MissingDependencyError(
            "Shape and texture features need pyradiomics 3.0.1, which is not installed. In Slicer install the "
            "SlicerRadiomics extension. Elsewhere `make` builds it, as do `pip install numpy 'setuptools<80' cython "
            "versioneer wheel` and then `pip install --no-build-isolation pyradiomics==3.0.1`, on Python 3.12+ with "
            "tools/pyradiomics_build on PYTHONPATH. MaZda's features and the classes firstorder, localintensity, "
            "statistics, histogram, ivh and gldzm work without it."
        ) from error
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)  # its warnings concern choices that are made here
    return found
