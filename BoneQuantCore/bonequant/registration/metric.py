"""Mutual information of one image's voxels with another image, and its exact gradient.

Parzen histogram as in Mattes et al., IEEE Trans Med Imaging 2003;22:120 (linear window for the voxels, cubic B-spline
for the interpolated image). Two things are added, and with them the optimum is sharp to hundredths of a millimetre:

- voxels near the border of the interpolated image fade out over two of its voxels instead of dropping out at once,
  so that the metric is smooth when a field of view ends inside the patient;
- the gradient is that of the interpolant itself, fading included, not of a separate gradient image.

All sums run in one fixed order in one thread: the value is the same to the bit wherever it is computed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bonequant.errors import RegistrationError
from bonequant.volume import Geometry

_FADE_VOXELS = 2.0
_EMPTY = 1e-12  # probability under which a histogram cell counts as empty


@dataclass(frozen=True)
class Samples:
    """Voxels of the sampled image: ``values`` (N,) and their ``points`` (3, N), LPS mm."""

    values: np.ndarray
    points: np.ndarray

    def every(self, step: int, first: int = 0) -> Samples:
        """Every ``step``-th voxel, from the ``first``."""
        return Samples(self.values[first::step], self.points[:, first::step])


class MutualInformation:
    """Mutual information (nat) of ``samples`` with ``image`` (z, y, x) on ``geometry``, for any positions given."""

    def __init__(self, samples: Samples, image: np.ndarray, geometry: Geometry, bins: int) -> None:
        self.samples = samples
        self._image, self._geometry = image, geometry
        self._voxels = np.ascontiguousarray(image, dtype=np.float32).ravel()
        self._size = geometry.size
        self._to_index = geometry.physical_to_index
        self._bins = bins
        low, high = float(samples.values.min()), float(samples.values.max())
        position = (samples.values - low) * ((bins - 1) / (high - low))
        self._row = np.minimum(position.astype(np.int64), bins - 2)
        self._upper = position - self._row
        self._low = float(self._voxels.min())
        self._scale = (bins - 1) / (float(self._voxels.max()) - self._low)

    def over(self, samples: Samples) -> MutualInformation:
        """The same image compared with other samples."""
        return MutualInformation(samples, self._image, self._geometry, self._bins)

    def overlap(self, positions: np.ndarray) -> float:
        """Share of ``positions`` (3, N) that lie inside the image."""
        return float(self._inside(self._index_of(positions)).mean())

    def sample(self, image: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Values (N,) of another ``image`` (z, y, x) on the same grid at ``positions`` (3, N); NaN outside."""
        index = self._index_of(positions)
        inside = self._inside(index)
        values = np.full(inside.size, np.nan)
        values[inside] = self._interpolate([axis[inside] for axis in index], image.ravel())[0]
        return values

    def __call__(self, positions: np.ndarray) -> tuple[float, np.ndarray]:
        """Value, and its derivative (3, N) to each position. ``positions`` (3, N): where each sample falls, LPS mm.

        Raises RegistrationError where no sample falls into the image.
        """
        gradient = np.zeros_like(positions)
        index = self._index_of(positions)
        inside = self._inside(index)
        index = [axis[inside] for axis in index]
        weight, weight_slopes = self._fade(index)
        total = weight.sum()
        if total <= 0.0:
            raise RegistrationError(
                "The images do not overlap where the search has come; check that they are of one patient and region."
            )
        value, slopes = self._interpolate(index, self._voxels)

        # Cubic B-spline window over the interpolated value: four columns of the histogram, linear over two rows.
        place = (value - self._low) * self._scale
        column = np.floor(place).astype(np.int64)
        t = place - column
        window = ((1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (1 + 3 * t + 3 * t**2 - 3 * t**3) / 6, t**3 / 6)
        window_slope = (-((1 - t) ** 2) / 2, (3 * t**2 - 4 * t) / 2, (1 + 2 * t - 3 * t**2) / 2, t**2 / 2)
        upper = self._upper[inside]
        columns = self._bins + 3
        cell = self._row[inside] * columns + column
        histogram = np.zeros(self._bins * columns)
        for k in range(4):
            for shift, share in ((0, 1.0 - upper), (columns, upper)):
                histogram += np.bincount(cell + shift + k, window[k] * share * weight, minlength=histogram.size)
        joint = (histogram / total).reshape(self._bins, columns)
        product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
        log_ratio = np.zeros_like(joint)
        np.log(np.divide(joint, product, where=joint > _EMPTY, out=log_ratio), where=joint > _EMPTY, out=log_ratio)
        information = float((joint * log_ratio).sum())

        ratios = log_ratio.ravel()
        by_value, by_weight = np.zeros_like(t), np.zeros_like(t)
        for k in range(4):
            ratio = (1.0 - upper) * ratios[cell + k] + upper * ratios[cell + columns + k]
            by_value += window_slope[k] * ratio
            by_weight += window[k] * ratio
        by_value *= weight * (self._scale / total)
        by_weight = (by_weight - information) / total
        by_index = [by_value * s + by_weight * w for s, w in zip(slopes, weight_slopes, strict=True)]
        for axis in range(3):
            gradient[axis, inside] = sum(self._to_index[k, axis] * by_index[k] for k in range(3))
        return information, gradient

    def _index_of(self, positions: np.ndarray) -> list[np.ndarray]:
        x, y, z = positions
        return [row[0] * x + row[1] * y + row[2] * z + row[3] for row in self._to_index[:3]]

    def _inside(self, index: list[np.ndarray]) -> np.ndarray:
        inside = np.ones(index[0].size, dtype=bool)
        for axis, size in zip(index, self._size, strict=True):
            inside &= (axis > 0.0) & (axis < size - 1)
        return inside

    def _fade(self, index: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
        """Weight 0..1 that rises smoothly from the border inwards, and its derivative to each index."""
        ramps, slopes = [], []
        for axis, size in zip(index, self._size, strict=True):
            depth = np.clip(np.minimum(axis, size - 1 - axis) / _FADE_VOXELS, 0.0, 1.0)
            ramps.append(depth * depth * (3.0 - 2.0 * depth))
            slopes.append(6.0 * depth * (1.0 - depth) / _FADE_VOXELS * np.where(axis < 0.5 * (size - 1), 1.0, -1.0))
        x, y, z = ramps
        return x * y * z, [slopes[0] * y * z, slopes[1] * x * z, slopes[2] * x * y]

    def _interpolate(self, index: list[np.ndarray], voxels: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """Trilinear value, and its derivative to each index (x, y, z)."""
        whole = [axis.astype(np.int64) for axis in index]
        fx, fy, fz = (axis - start for axis, start in zip(index, whole, strict=True))
        row, layer = self._size[0], self._size[0] * self._size[1]
        first = whole[0] + row * whole[1] + layer * whole[2]

        def along_x(offset: int) -> tuple[np.ndarray, np.ndarray]:
            start = voxels[first + offset]
            step = voxels[first + (offset + 1)] - start
            return start + fx * step, step

        (v00, s00), (v10, s10), (v01, s01), (v11, s11) = (along_x(o) for o in (0, row, layer, layer + row))
        low, high = v00 + fy * (v10 - v00), v01 + fy * (v11 - v01)
        slope_low, slope_high = s00 + fy * (s10 - s00), s01 + fy * (s11 - s01)
        slope_y = (v10 - v00) + fz * ((v11 - v01) - (v10 - v00))
        return low + fz * (high - low), (slope_low + fz * (slope_high - slope_low), slope_y, high - low)
