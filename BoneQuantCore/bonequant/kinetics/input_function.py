"""The input of a kinetic model: a piecewise-linear concentration curve, checked once, that may be shifted in time.

Time origin: tracer is injected at time 0. Where the first sample comes after 0 by no more than one sampling interval
(mid-frame times), the curve rises in a straight line from (0, 0) to it; otherwise the curve starts at its first sample.
After its last sample it goes on along the line through its last fifth, which matters only to shifts to earlier times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bonequant.errors import InputError
from bonequant.kinetics.convolution import convolve_at, convolve_at_knots, integral_at, value_at
from bonequant.volume.types import Curve


@dataclass(frozen=True, eq=False)
class InputFunction:
    """Knots in minutes and their values; made by :meth:`of`."""

    knots_min: np.ndarray
    values: np.ndarray

    @classmethod
    def of(
        cls, curve: Curve | np.ndarray, times_s: np.ndarray, label: str = "The AIF", beyond_s: float = 0.0
    ) -> InputFunction:
        """From a Curve, which may have its own (finer) times, or an array on ``times_s``.

        Args:
            curve: the input, on its own times or on ``times_s``.
            times_s: the frame times that it must cover.
            label: how messages name it.
            beyond_s: how far it must reach beyond the last frame, for shifts to earlier times.

        Raises:
            InputError: the curve is not finite, nowhere above 0, of another length, or too short.
        """
        own = np.asarray(curve.times_s if isinstance(curve, Curve) else times_s, dtype=np.float64)
        values = np.asarray(curve.values if isinstance(curve, Curve) else curve, dtype=np.float64)
        if values.shape != own.shape:
            raise InputError(f"{label} has shape {values.shape} for {own.size} times; give one value per time.")
        if not np.all(np.isfinite(values)):
            raise InputError(f"{label} has values that are not finite; choose other voxels or interpolate the gaps.")
        if not np.any(values > 0.0):
            raise InputError(f"{label} is nowhere above zero; choose another region or a population AIF.")
        if len(own) < 2 or own[-1] < times_s[-1] - 1.0001 * (own[-1] - own[-2]):
            raise InputError(f"{label} ends at {own[-1]:g} s, the frames at {times_s[-1]:g} s; it must cover them.")
        if 0.0 < own[0] <= own[1] - own[0]:
            own, values = np.concatenate([[0.0], own]), np.concatenate([[0.0], values])
        end = max(times_s[-1], own[-1]) + beyond_s
        if end > own[-1]:
            own, values = np.append(own, end), np.append(values, _extrapolated(own, values, end))
        return cls(own / 60.0, values)

    def value(self, at_min: np.ndarray) -> np.ndarray:
        return value_at(self.knots_min, self.values, at_min)

    def integral(self, at_min: np.ndarray) -> np.ndarray:
        """From the time origin, in the curve's unit times minutes."""
        return integral_at(self.knots_min, self.values, at_min)

    def convolved(self, rates: np.ndarray, at_min: np.ndarray, at_knots: np.ndarray | None = None) -> np.ndarray:
        """With exp(-k t), for ``rates`` (K,) per minute: (M, K)."""
        return convolve_at(self.knots_min, self.values, rates, at_min, at_knots)

    def at_knots(self, rates: np.ndarray) -> np.ndarray:
        """The convolution at the knots, to be handed to :meth:`convolved` for many shifts of the same rates."""
        return convolve_at_knots(self.knots_min, self.values, rates)


def _extrapolated(times: np.ndarray, values: np.ndarray, at: float) -> float:
    count = min(len(times), max(3, len(times) // 5))
    t, v = times[-count:] - times[-1], values[-count:]
    slope = float(np.sum((t - t.mean()) * (v - v.mean())) / np.sum((t - t.mean()) ** 2))
    return max(float(values[-1]) + slope * (at - times[-1]), 0.0) if values[-1] > 0.0 else 0.0
