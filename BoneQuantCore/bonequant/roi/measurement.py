"""What is measured in a region, and the statistics of its samples.

Definitions, all weighted by the fraction of each mask voxel that belongs to the region:

- ``sd`` is that of the population: sqrt(sum w (x - mean)^2 / sum w). No n - 1: neighbouring samples are no draws.
- Percentiles put sample k of the sorted samples at the share of the total weight that lies between the middles of the
  first and of the k-th, and interpolate linearly; with equal weights that is numpy's default (Hyndman and Fan 1996,
  type 7).
- ``entropy``: Shannon entropy in bits of the histogram of 64 equal bins from the lowest to the highest sample (IBSI
  "fixed bin number" discretisation and intensity histogram entropy, Zwanenburg et al., Radiology 2020;295:328).
- ``skewness`` and ``kurtosis``: standardised third and fourth central moments; kurtosis is in excess of the normal
  distribution's 3 (IBSI, intensity-based statistics).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

ENTROPY_BINS = 64
PARTLY_OUTSIDE = "partly outside the image"
SMALLER_THAN_VOXEL = "smaller than one voxel of the image"
NO_VOXEL_CENTRE = "no voxel centre of the image inside: max, min and peak come from the voxel that holds most of it"

Point = tuple[float, float, float]


@dataclass(frozen=True)
class RoiMeasurement:
    """One region of one image. Values are in ``unit``; positions are LPS mm in the space of the image.

    Samples are taken at the voxel centres of the mask with cubic B-splines (voxels as they are where both grids
    coincide): mean, sd, cv, percentiles, entropy, skewness and kurtosis come from them. A spline may swing past the
    voxels beside a sharp edge, therefore ``max``, ``min`` and ``peak`` come from the voxels of the image themselves.
    """

    name: str
    unit: str
    volume_ml: float  # of the mask as drawn
    voxels: int  # of the mask, those in part included
    native_voxels: int  # of the image whose centres lie in the mask: what max, min and peak look at
    mean: float
    sd: float
    min: float
    max: float
    peak: float  # highest mean in a 1 mL sphere
    median: float
    p5: float
    p25: float
    p75: float
    p95: float
    total: float  # mean * volume inside the image: total lesion uptake (SUV mL), or Bq for Bq/mL
    cv: float  # sd / mean, NaN where the mean is not positive
    entropy: float  # bits
    skewness: float  # NaN where all samples are equal
    kurtosis: float
    hottest_mm: Point
    peak_mm: Point
    fraction_inside: float  # of the mask's volume
    flags: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON and tables, in the order of the fields."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in dataclasses.asdict(self).items()
        }


def summarise(values: np.ndarray, weights: np.ndarray | None) -> dict[str, float]:
    """The statistics of samples (N,) with weights (N,), None for equal ones; names as in :class:`RoiMeasurement`."""
    mean = float(np.average(values, weights=weights))
    deviation = values - mean
    square = deviation * deviation
    second = float(np.average(square, weights=weights))
    third = float(np.average(square * deviation, weights=weights))
    fourth = float(np.average(square * square, weights=weights))
    low, high = float(values.min()), float(values.max())
    # A spline through equal voxels gives them back to about 1e-15: that is no heterogeneity.
    flat = high - low <= 1e-9 * max(abs(low), abs(high))
    sd = 0.0 if flat else float(np.sqrt(second))
    p5, p25, median, p75, p95 = percentiles(values, weights, (5, 25, 50, 75, 95))
    return {
        "mean": mean,
        "sd": sd,
        "median": median,
        "p5": p5,
        "p25": p25,
        "p75": p75,
        "p95": p95,
        "cv": sd / mean if mean > 0 else float("nan"),
        "entropy": 0.0 if flat else _entropy(values, weights, (low, high)),
        "skewness": float("nan") if flat else third / second**1.5,
        "kurtosis": float("nan") if flat else fourth / second**2 - 3.0,
    }


def percentiles(values: np.ndarray, weights: np.ndarray | None, percent: tuple[float, ...]) -> list[float]:
    """Weighted percentiles of samples (N,), by the definition at the top of this file."""
    if weights is None or len(values) == 1:
        return [float(value) for value in np.percentile(values, percent)]
    order = np.argsort(values, kind="stable")
    ordered, weight = values[order], weights[order]
    position = np.concatenate([[0.0], np.cumsum(0.5 * (weight[1:] + weight[:-1]))])
    return [float(value) for value in np.interp(np.array(percent) / 100.0 * position[-1], position, ordered)]


def _entropy(values: np.ndarray, weights: np.ndarray | None, limits: tuple[float, float]) -> float:
    histogram = np.histogram(values, bins=ENTROPY_BINS, range=limits, weights=weights)[0]
    share = histogram[histogram > 0] / histogram.sum()
    return float(-(share * np.log2(share)).sum())
