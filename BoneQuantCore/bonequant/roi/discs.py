"""Intervertebral discs along a straightened spine: pairs of endplates, at intervals that change slowly from level
to level.

The profile of the bodies' core has a bright endplate on either side of every disc, whether the disc between them is
darker than the trabecular bone (young patients), brighter (osteoporosis) or not resolved (thick slices, thoracic
levels). A dynamic programme picks the sequence with the best endplates and the steadiest intervals, so that a worn
disc is not missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from bonequant.roi.spine_axis import SpineAxis

_SHORTEST_MM, _LONGEST_MM = 13, 48  # from a small cervical to a large lumbar level
_STEADY = 12.0  # price of a changing interval: (ln ratio)^2 times this
_LEAST_SCORE = 0.35
_TILTS_DEG = np.arange(-18.0, 19.0, 3.0)
_TILT_PRICE_RAD2 = np.radians(40.0) ** 2


@dataclass(frozen=True, eq=False)
class Disc:
    """A cut between two vertebrae: ``along`` the axis in mm, a point and an upward unit normal in (z, y, x) mm."""

    along: float
    point: np.ndarray
    normal: np.ndarray
    score: float


def find_discs(hu: np.ndarray, axis: SpineAxis, spacing: Sequence[float]) -> list[Disc]:
    """The discs from below; ``hu`` (z, y, x) in an axial frame. Empty where no two endplates are seen."""
    left, front = np.arange(-9.0, 9.5, 1.5), np.arange(-9.0, 6.5, 1.5)
    core = axis.straightened(np.clip(hu, -200, 900), spacing, left, front).reshape(len(axis.points), -1)
    profile = ndimage.gaussian_filter1d(np.percentile(core, 70, axis=1), 1.0)
    score = disc_score(profile)
    places = _best_sequence(score)
    return [_refined(np.clip(hu, -200, 900), axis, spacing, place, float(score[place])) for place in places]


def disc_score(profile: np.ndarray) -> np.ndarray:
    """How much each millimetre looks like the middle between two endplates, about 0 to 2; ``profile`` in HU."""
    n = len(profile)
    spread = ndimage.percentile_filter(profile, 85, 81) - ndimage.percentile_filter(profile, 15, 81)
    scale = np.maximum(ndimage.gaussian_filter1d(spread, 15.0), 25.0)
    best = np.full(n, -np.inf)
    at = np.arange(n)

    def value(offset: int) -> np.ndarray:
        return profile[np.clip(at + offset, 0, n - 1)]

    for gap in range(2, 8):
        ends = np.minimum(value(gap), value(-gap))
        beyond = 0.5 * sum(value(gap + k) + value(-gap - k) for k in (5, 7, 9)) / 3.0
        dip = np.clip(ends - profile, -0.3 * scale, 0.6 * scale)
        best = np.maximum(best, (ends - beyond) + 0.7 * dip)
    return np.clip(best / scale, -1.0, 2.0)


def _best_sequence(score: np.ndarray) -> list[int]:
    """Positions with the highest total of (score - threshold) less the price of unsteady intervals."""
    n = len(score)
    gain = score - _LEAST_SCORE
    steps = np.arange(_SHORTEST_MM, _LONGEST_MM + 1)
    price = _STEADY * np.log(steps[:, None] / steps[None, :]) ** 2  # [this step, step before]
    total = np.full((n, len(steps)), -np.inf)  # best total of a sequence that ends here with this last step
    back = np.full((n, len(steps)), -1)
    for place in range(n):
        for k, step in enumerate(steps):
            previous = place - int(step)
            if previous < 0:
                break
            through = total[previous] - price[k]
            best = int(through.argmax())
            start = gain[previous]  # a sequence may start at the previous place
            if through[best] > start:
                total[place, k], back[place, k] = through[best] + gain[place], best
            else:
                total[place, k] = start + gain[place]
    if not np.isfinite(total).any():
        return []
    place, k = (int(i) for i in np.unravel_index(int(total.argmax()), total.shape))
    if total[place, k] <= 0:
        return []
    places = [place]
    while k >= 0:
        previous_k = int(back[place, k])
        place -= int(steps[k])
        places.append(place)
        k = previous_k
    return places[::-1]


def _refined(hu: np.ndarray, axis: SpineAxis, spacing: Sequence[float], place: int, score: float) -> Disc:
    """The cut plane tilted and shifted to lie along the disc: darkest in the plane, brightest 3 to 5 mm beside it."""
    left, front = np.meshgrid(np.arange(-13.0, 13.5, 2.0), np.arange(-9.0, 10.0, 2.0), indexing="ij")
    up, side, ahead = axis.up[place], axis.left[place], axis.front[place]
    shifts = np.arange(-12.0, 12.5, 1.0)
    best, choice = -np.inf, (0.0, up)
    for pitch in np.radians(_TILTS_DEG):
        for roll in np.radians(_TILTS_DEG[2:-2]):
            normal = up + np.tan(pitch) * ahead + np.tan(roll) * side
            normal /= np.linalg.norm(normal)
            plane = axis.points[place] + left[..., None] * side + front[..., None] * ahead
            plane = plane - ((plane - axis.points[place]) @ normal)[..., None] * normal
            points = plane[None] + shifts[:, None, None, None] * normal
            index = np.moveaxis(points / np.asarray(spacing), -1, 0)
            profile = ndimage.map_coordinates(hu, index, order=1, mode="nearest", output=np.float32).mean(axis=(1, 2))
            # Aligned with the endplates the mean over the plane keeps their contrast; tilted it is washed out.
            merit = float(profile[np.abs(shifts) <= 9].std()) * (1.0 - (pitch**2 + roll**2) / _TILT_PRICE_RAD2)
            if merit > best:
                best, choice = merit, (_middle(profile, shifts), normal)
    shift, normal = choice
    return Disc(place + shift, axis.points[place] + shift * normal, normal, score)


def _middle(profile: np.ndarray, shifts: np.ndarray) -> float:
    """The shift, 4 mm at most, half-way between the two best endplates."""
    best, middle = -np.inf, 0.0
    for low in np.flatnonzero((shifts >= -9) & (shifts <= 2)):
        for gap in range(3, 13):
            if low + gap < len(shifts) and abs(shifts[low] + gap / 2) <= 4.0:
                between = profile[low + 1 : low + gap]
                value = min(profile[low], profile[low + gap]) + 0.3 * (
                    min(profile[low], profile[low + gap]) - between.min()
                )
                value -= 2.0 * abs(shifts[low] + gap / 2)
                if value > best:
                    best, middle = value, float(shifts[low] + gap / 2)
    return middle
