"""Autoregressive model of a pixel by its four causal neighbours, fitted by least squares.

Source: Materka & Strzelecki, COST B11 report 1998, section 3.1. The region's mean is taken off first; a pixel counts
where it and its four neighbours lie in the region.
"""

from __future__ import annotations

import numpy as np

from bonequant.radiomics.mazda.names import AUTOREGRESSIVE

_STEPS = {"W": (0, -1), "NW": (-1, -1), "N": (-1, 0), "NE": (-1, 1)}  # (y, x)


def autoregressive(image: np.ndarray, mask: np.ndarray, order: str, relative: bool) -> dict[str, float] | str:
    """Teta1 to Teta4 of the neighbours in ``order`` ("W,NW,N,NE") and Sigma, the SD of what they leave unexplained.

    Args:
        image: intensities (y, x).
        relative: Sigma over the SD of the region, instead of in the unit of the image.

    Returns:
        The features, or why there are none.
    """
    values = np.pad(np.where(mask, image - image[mask].mean(), 0.0), 1)
    inside = np.pad(mask, 1)
    whole = inside.copy()
    for y, x in _STEPS.values():
        whole &= np.roll(inside, (-y, -x), axis=(0, 1))
    place = np.argwhere(whole)
    if len(place) <= len(_STEPS):
        return f"{len(place)} pixels have all four neighbours in the region; the model needs more than {len(_STEPS)}"
    neighbours = np.stack([values[place[:, 0] + y, place[:, 1] + x] for y, x in map(_STEPS.get, order.split(","))])  # type: ignore[misc]
    target = values[whole]
    normal = neighbours @ neighbours.T
    if np.linalg.matrix_rank(normal, hermitian=True) < len(_STEPS):
        return "the neighbours of the region's pixels are linearly dependent"
    theta = np.linalg.solve(normal, neighbours @ target)
    sigma = float(np.sqrt(((target - theta @ neighbours) ** 2).mean()))
    if relative:
        sigma /= float(image[mask].std())
    return {name: float(value) for name, value in zip(AUTOREGRESSIVE, (*theta, sigma), strict=True)}
