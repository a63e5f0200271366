"""A dictionary of basis curves over rate constants, and what interpolation between its nodes needs.

Nodes are equally spaced in u = ln k. As functions of u the curves E(k) = input (x) exp(-k t) are so smooth that a
degree-8 polynomial through nine neighbouring nodes gives every inner product to about 1e-8 of itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bonequant.kinetics.products import product

SPACING = 0.2  # of u
PAD = 4  # nodes on either side of a window's centre
_OFFSETS = np.arange(-PAD, PAD + 1)
_TO_POLYNOMIAL = np.linalg.inv(np.vander(_OFFSETS.astype(float), increasing=True))  # (9 coefficients, 9 nodes)


def rate_nodes(low: float, high: float) -> np.ndarray:
    """Rates (n + 2 PAD,) per minute: ``low`` to ``high`` in n nodes of at most SPACING, and PAD more on either side."""
    count = max(int(np.ceil(np.log(high / low) / SPACING - 1e-9)), 1) if high > low else 0
    step = np.log(high / low) / count if count else SPACING
    return low * np.exp(step * np.arange(-PAD, count + 1 + PAD))


def window_polynomials(values: np.ndarray) -> np.ndarray:
    """Coefficients (n, 9, ...) in s = (u - u_j) / step around inner node j, from node values (n + 2 PAD, ...)."""
    inner = len(values) - 2 * PAD
    windows = np.stack([values[m : m + inner] for m in range(2 * PAD + 1)], axis=1)
    return np.einsum("cm,nm...->nc...", _TO_POLYNOMIAL, windows)


def voxel_polynomials(products: np.ndarray, node: np.ndarray) -> np.ndarray:
    """Coefficients (9, B) of each voxel around its own node, from inner products (n + 2 PAD, B) at all nodes."""
    count = products.shape[1]
    flat = node * count + np.arange(count)
    window = np.empty((2 * PAD + 1, count))
    for m in range(2 * PAD + 1):
        np.take(products, flat + m * count, out=window[m])
    return product(_TO_POLYNOMIAL, window)


def value_and_slope(coefficients: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Polynomial (9, ...) and its derivative in s, by Horner's rule."""
    value, slope = coefficients[-1], np.zeros_like(s)
    for c in coefficients[-2::-1]:
        slope = slope * s + value
        value = value * s + c
    return value, slope


@dataclass(frozen=True, eq=False)
class RateTable:
    """Basis curves at the nodes and their Gram polynomials.

    Attributes:
        rates: (n + 2 PAD,) per minute.
        first: (n + 2 PAD, T) curves of the first amplitude.
        second: (n + 2 PAD, T) curves of the second, or (1, T) where it does not depend on the rate.
        g11, g12, g22: window polynomials (n, 9) of the inner products; g22 is (1, 1) for a constant second curve.
    """

    rates: np.ndarray
    first: np.ndarray
    second: np.ndarray
    g11: np.ndarray
    g12: np.ndarray
    g22: np.ndarray

    @classmethod
    def of(cls, rates: np.ndarray, first: np.ndarray, second: np.ndarray) -> RateTable:
        varies = len(second) == len(first)
        norm2 = np.sum(second * second, axis=1)
        norm2[norm2 == 0.0] = 1.0  # no second curve: its amplitude is then 0 by its bounds, not 0/0
        return cls(
            rates,
            first,
            second,
            window_polynomials(np.sum(first * first, axis=1)),
            window_polynomials(np.sum(first * second, axis=1)),
            window_polynomials(norm2) if varies else norm2[:, None],
        )

    @property
    def second_varies(self) -> bool:
        return len(self.second) > 1

    @property
    def step(self) -> float:
        return float(np.log(self.rates[1] / self.rates[0]))

    @property
    def inner_rates(self) -> np.ndarray:
        return self.rates[PAD:-PAD]
