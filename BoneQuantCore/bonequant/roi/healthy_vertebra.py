"""A healthy vertebra beside a lesion, proposed on MR with the reasons; the reader decides.

Looked for one vertebral pitch above and below the lesion, where a body of marrow would be: an ellipsoid in which the
image before contrast is even, with a darker disc above and one below it, away from every lesion. Of the places above
and below the more even one is proposed. Where no place shows discs on both sides nothing is proposed, and the reader
draws the vertebra. Method and limits are this project's own; they were tried on the spine phantom alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy.spatial import cKDTree

from bonequant.errors import InputError
from bonequant.volume import Geometry, Volume, image_from_array, sample_at

_PITCH_MM = (20.0, 46.0)  # thoracic to lumbar
_OFFSETS_MM = {"x": (-8.0, -4.0, 0.0, 4.0, 8.0), "y": tuple(np.arange(-14.0, 15.0, 2.0).tolist())}
_STEP_MM = 2.0
_RADII_MM = (11.0, 10.0, 8.0)  # left-right, back-front, up-down: well inside a thoracic body
_DISC_MM = (10.0, 24.0)  # from the centre of a body to the disc
_DISC_DEPTH = 0.08  # a disc is darker than the body by this fraction at least
_MOST_UNEVEN = 0.15
_CLEAR_MM = 5.0  # from every lesion


@dataclass(frozen=True, eq=False)
class HealthyVertebra:
    """``mask`` on the grid of the image; ``unevenness``: sd over mean of the signal within; ``reasons`` in words."""

    mask: sitk.Image
    centre_mm: tuple[float, float, float]
    side: str
    unevenness: float
    disc_depths: tuple[float, float]
    reasons: tuple[str, ...]


def propose_healthy_vertebra(
    anatomy: Volume, lesion: sitk.Image, others: Mapping[str, sitk.Image] | None = None
) -> HealthyVertebra | None:
    """The even body of marrow next to ``lesion``; None where none is seen.

    Args:
        anatomy: MR before contrast (mean of the frames before the bolus), marrow brighter than discs.
        lesion: mask in the space of ``anatomy``.
        others: further lesions, none of which the vertebra may touch.

    Raises InputError for an empty lesion.
    """
    clouds = {name: _points(mask) for name, mask in {"": lesion, **(others or {})}.items()}
    if not len(clouds[""]):
        raise InputError("The lesion is empty: a healthy vertebra cannot be looked for beside it.")
    centre = clouds[""].mean(axis=0)
    tree = cKDTree(np.concatenate(list(clouds.values())))
    places, side = _places(centre)
    lattice = _lattice()
    points = places[:, None, :] + lattice
    clear = tree.query(points.reshape(-1, 3))[0].reshape(points.shape[:2]).min(axis=1) > _CLEAR_MM
    places, side, points = places[clear], side[clear], points[clear]
    if not len(places):
        return None
    values = sample_at(anatomy.image, points.reshape(-1, 3), None, "linear").reshape(points.shape[:2])
    mean = values.mean(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        uneven = np.where(mean > 0.0, values.std(axis=1) / mean, np.nan)
    above, below = (_depth(anatomy, places, mean, sign) for sign in (1.0, -1.0))
    good = (uneven < _MOST_UNEVEN) & (above > _DISC_DEPTH) & (below > _DISC_DEPTH)
    if not good.any():
        return None
    # Even, and midway between its discs: both decide, since a place near one disc is nearly as even.
    score = np.where(good, uneven + 0.2 * _off_middle(anatomy, places), np.inf)
    k = int(score.argmin())
    x, y, z = (float(v) for v in places[k])
    word = "above" if side[k] > 0 else "below"
    return HealthyVertebra(
        mask=_ellipsoid(anatomy.geometry, places[k]),
        centre_mm=(x, y, z),
        side=word,
        unevenness=float(uneven[k]),
        disc_depths=(float(above[k]), float(below[k])),
        reasons=(
            f"{abs(z - centre[2]):.0f} mm {word} the centre of the lesion",
            f"signal before contrast is even: {100 * uneven[k]:.1f} % sd over mean",
            f"discs above and below are darker by {100 * above[k]:.0f} % and {100 * below[k]:.0f} %",
            f"at least {_CLEAR_MM:g} mm from every lesion",
        ),
    )


def _places(centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Candidate centres (N, 3), LPS, and the side of each (+1 above)."""
    heights = np.arange(_PITCH_MM[0], _PITCH_MM[1], _STEP_MM)
    offsets = [
        (x, y, sign * z, sign)
        for x, y, z, sign in itertools.product(_OFFSETS_MM["x"], _OFFSETS_MM["y"], heights, (1.0, -1.0))
    ]
    table = np.array(offsets)
    return centre + table[:, :3], table[:, 3]


def _lattice() -> np.ndarray:
    axes = [np.linspace(-r, r, 7) for r in _RADII_MM]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    return points[((points / _RADII_MM) ** 2).sum(axis=1) <= 1.0]


def _profile(anatomy: Volume, places: np.ndarray, sign: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean signal (N, H) of small patches across the spine at heights (H,) mm from each place."""
    heights = np.arange(_DISC_MM[0], _DISC_MM[1] + 1e-6, _STEP_MM)
    patch = np.array([(x, y, 0.0) for x in (-5.0, 0.0, 5.0) for y in (-4.0, 0.0, 4.0)])
    up = np.array([0.0, 0.0, sign])
    points = places[:, None, None, :] + heights[:, None, None] * up + patch
    values = sample_at(anatomy.image, points.reshape(-1, 3), None, "linear").reshape(*points.shape[:3])
    return values.mean(axis=2), heights


def _depth(anatomy: Volume, places: np.ndarray, mean: np.ndarray, sign: float) -> np.ndarray:
    """How much darker than the body the darkest place is where the disc would be, as a fraction (N,); NaN outside."""
    values, _ = _profile(anatomy, places, sign)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1.0 - values.min(axis=1) / mean)


def _off_middle(anatomy: Volume, places: np.ndarray) -> np.ndarray:
    """0 midway between the darkest places above and below; 1 where these are as unequally far as they may be."""
    heights = [np.nan_to_num(_profile(anatomy, places, sign)[0], nan=np.inf).argmin(axis=1) for sign in (1.0, -1.0)]
    return np.abs(heights[0] - heights[1]) * _STEP_MM / (_DISC_MM[1] - _DISC_MM[0])


def _ellipsoid(grid: Geometry, centre: np.ndarray) -> sitk.Image:
    voxels = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), -1).reshape(-1, 3)
    inside = (((grid.points_of(voxels) - centre) / _RADII_MM) ** 2).sum(axis=1) <= 1.0
    return image_from_array(inside.reshape(grid.shape), grid)


def _points(mask: sitk.Image) -> np.ndarray:
    return Geometry.of(mask).points_of(np.argwhere(sitk.GetArrayViewFromImage(mask) >= 0.5))
