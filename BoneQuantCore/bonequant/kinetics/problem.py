"""One fitting problem: model, inputs, frame times and bounds, with the dictionaries that all its voxels share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from bonequant.errors import InputError
from bonequant.kinetics import one_rate, two_rates
from bonequant.kinetics.bounded_pair import Box, best_pair
from bonequant.kinetics.input_function import InputFunction
from bonequant.kinetics.models import Kernel, Model
from bonequant.kinetics.products import product
from bonequant.kinetics.rate_table import RateTable, rate_nodes
from bonequant.kinetics.settings import KineticsSettings
from bonequant.kinetics.two_rates import PairTable

_CACHE_BYTES = 64 << 20  # of dictionaries kept for delays that come again
Delays = tuple[float, ...]  # seconds, one per input
_SUB_FRAMES = 16  # points over which the model is averaged where frames are long: error 1e-4 of its bend in a frame


def sub_frames(times_min: np.ndarray, widths_min: np.ndarray) -> np.ndarray:
    """(T, 16) evenly spread times within frames around ``times_min``."""
    return times_min[:, None] + widths_min[:, None] * ((np.arange(_SUB_FRAMES) + 0.5) / _SUB_FRAMES - 0.5)


class Solution(NamedTuple):
    """Best kernel of each voxel, and the energy of the curve that it explains, (B,)."""

    kernel: Kernel
    energy: np.ndarray


@dataclass(eq=False)
class Problem:
    """Solves blocks of curves (T, B) at given delays of the inputs; nothing in it depends on the curves."""

    model: Model
    settings: KineticsSettings
    inputs: tuple[InputFunction, ...]
    times_min: np.ndarray  # of the frames that count
    widths_min: np.ndarray | None = None  # of these frames, where their values are means over them
    box: Box = field(init=False)
    _rates: np.ndarray = field(init=False)
    _at_knots: tuple[np.ndarray, ...] = field(init=False)
    _tables: dict[Delays, RateTable | PairTable] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.box = self.model.box(self.settings)
        self._rates = rate_nodes(*self.settings.rate) if self.model.rates else np.zeros(1)
        self._at_knots = tuple(source.at_knots(self._rates) for source in self.inputs)
        first = self._dictionary(0, 0.0)
        if not np.any(first):
            raise InputError("The input is zero during every frame that counts; check its times and the settings.")

    def search(self, curves: np.ndarray, delays: Delays) -> np.ndarray:
        """Explained energy (B,) at the best nodes of the dictionary: cheap, for choosing among delays."""
        if not np.any(self._dictionary(0, delays[0])):  # shifted out of the frames
            return np.full(curves.shape[1], -np.inf)
        table = self._table(delays)
        if isinstance(table, PairTable):
            return two_rates.search_pairs(table, self.box, product(table.basis, curves))[2]
        if self.model.rates == 0:
            return self._linear(table, curves).energy
        return one_rate.search_nodes(table, self.box, *one_rate.inner_products(table, curves))[1]

    def solve(self, curves: np.ndarray, delays: Delays, near: Kernel | None = None) -> Solution:
        """The global optimum at these delays; with two rates, the one that the kernels ``near`` lead to if given."""
        table = self._table(delays)
        if isinstance(table, PairTable):
            start = None if near is None else (near.k, near.k2)
            p1, p2, k, k2, energy = two_rates.solve_pairs(table, self.box, curves, start)
            return Solution(Kernel(p1, p2, k, k2), energy)
        if self.model.rates == 0:
            return self._linear(table, curves)
        p1, p2, k, energy = one_rate.solve(table, self.box, curves)
        return Solution(Kernel(p1, p2, k, np.zeros_like(k)), energy)

    def predict(self, kernel: Kernel, delays: Delays, times_min: np.ndarray) -> np.ndarray:
        """Curves (T, B) of kernels at ``times_min``, exact for the piecewise-linear input."""
        first, shift = self.inputs[0], delays[0] / 60.0
        if self.widths_min is not None and times_min is self.times_min:
            points = sub_frames(times_min, self.widths_min)
            curves = self.predict(kernel, delays, points.ravel())
            return curves.reshape(*points.shape, -1).mean(axis=1)
        curves = first.convolved(kernel.k, times_min - shift)
        curves *= kernel.p1
        if self.model.second == "input":
            curves += np.outer(first.value(times_min - shift), kernel.p2)
        elif self.model.second == "integral":
            curves += np.outer(first.integral(times_min - shift), kernel.p2)
        elif self.model.second == "portal":
            curves += self.inputs[1].convolved(kernel.k, times_min - delays[1] / 60.0) * kernel.p2
        elif self.model.second == "exponential":
            curves += first.convolved(kernel.k2, times_min - shift) * kernel.p2
        return curves

    def _linear(self, table: RateTable, curves: np.ndarray) -> Solution:
        e1, e2 = table.first[0], table.second[0]
        b1, b2 = e1 @ curves, e2 @ curves
        low, high = self.box.first(0.0) if not np.isinf(self.box.high1_per_rate) else (self.box.low1, self.box.high1)
        p1, p2, energy = best_pair(
            b1, b2, float(e1 @ e1), float(e1 @ e2), float(e2 @ e2), low, high, self.box.low2, self.box.high2
        )
        zero = np.zeros_like(p1)
        return Solution(Kernel(p1, p2, zero, zero), energy)

    def _dictionary(self, source: int, delay_s: float) -> np.ndarray:
        """Curves (nodes, T) of one input for all rates."""
        source_input, at_knots = self.inputs[source], self._at_knots[source]
        curves = self._over_frames(lambda at: source_input.convolved(self._rates, at, at_knots), delay_s)
        return np.ascontiguousarray(curves.T)

    def _over_frames(self, function: Callable[[np.ndarray], np.ndarray], delay_s: float) -> np.ndarray:
        """``function`` of times (M,) at the frames, or its mean over each of them: (T, ...)."""
        if self.widths_min is None:
            return function(self.times_min - delay_s / 60.0)
        points = sub_frames(self.times_min, self.widths_min)
        values = function(points.ravel() - delay_s / 60.0)
        return values.reshape(*points.shape, *values.shape[1:]).mean(axis=1)

    def _table(self, delays: Delays) -> RateTable | PairTable:
        table = self._tables.get(delays)
        if table is None:
            if len(self._tables) * 2 * len(self._rates) * len(self.times_min) * 8 > _CACHE_BYTES:
                self._tables.clear()
            table = self._tables[delays] = self._new_table(delays)
        return table

    def _new_table(self, delays: Delays) -> RateTable | PairTable:
        first = self._dictionary(0, delays[0])
        if self.model.rates == 2:
            return PairTable.of(self._rates, first)
        if self.model.second == "portal":
            second = self._dictionary(1, delays[1])
        elif self.model.second == "integral":
            second = self._over_frames(self.inputs[0].integral, delays[0])[None]
        elif self.model.second == "input":
            second = self._over_frames(self.inputs[0].value, delays[0])[None]
        else:  # no second amplitude: its bounds are 0 and 0
            second = np.zeros((1, len(self.times_min)))
        if self.model.rates == 0:
            empty = np.empty(0)
            return RateTable(self._rates, first, second, empty, empty, empty)
        return RateTable.of(self._rates, first, second)
