"""Vertebral bodies from CT, one mask each, in order: the spine is straightened, cut at the discs and named where it
can be.

The bodies are cut with planes through the discs, each tilted as its endplates are, and in front of the spinal
canal: pedicles, processes and rib heads are left to the spine. Cut planes drawn by the user replace those found.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress
from bonequant.roi.axial import AxialFrame, check_ct, crop
from bonequant.roi.body import body_mask
from bonequant.roi.canal import find_canal
from bonequant.roi.discs import Disc, find_discs
from bonequant.roi.levels import Naming, last_rib, name_levels
from bonequant.roi.morphology import convex_slices, holes
from bonequant.roi.skeleton import Skeleton
from bonequant.roi.spine_axis import SpineAxis
from bonequant.roi.spine_column import Body, Column
from bonequant.volume import Volume

Place = float | Sequence[float]  # a z position, or a point, LPS mm
_UNEVEN_RATIO, _UNEVEN_STEPS = 1.45, 3
_CONVEX = 1.15  # hull over area of a slice, above which bone was destroyed
_DISC_HU = 85.0
_LEAST_HU = -150.0  # below lies air
_ALONG_Z = np.array([1, 1, 1], dtype=bool).reshape(3, 1, 1)
_SACRAL_DISC_MM = 20.0  # how far the last disc may be from the upper edge of the sacral wings


@dataclass(frozen=True, eq=False)
class Spine:
    """The column before its vertebrae are named: axis, bone around it, cuts from below.

    ``on_sacrum``: the sacral wings are seen below the lowest cut. ``ends_at_l5``: that, or it is so by the count of
    ribs.
    """

    axis: SpineAxis
    column: Column
    discs: tuple[Disc, ...]
    on_sacrum: bool
    ends_at_l5: bool

    @property
    def sacral_disc(self) -> float | None:
        """Where along the axis the sacrum begins, mm; None where it is not in the field of view."""
        return self.discs[0].along if self.ends_at_l5 and self.discs else None


@dataclass(frozen=True, eq=False)
class Vertebrae:
    """Bodies from the top (``masks``, uint8 on the CT's grid) and how they were cut.

    ``cuts``: point and upward unit normal, LPS mm, of every disc from the top. ``incomplete``: names of those that
    leave the field of view. ``anchor``: what the names rest on, "" for mere numbers. ``on_sacrum``: the last one
    stands on it.
    """

    masks: dict[str, sitk.Image]
    cuts: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]
    anchor: str
    incomplete: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    on_sacrum: bool = False


def vertebrae(
    ct: Volume,
    skeleton: Skeleton | Mapping[str, sitk.Image],
    *,
    cuts: Sequence[float | tuple[Sequence[float], Sequence[float]]] | None = None,
    level: tuple[str, Place] | None = None,
    progress: Progress | None = None,
) -> Vertebrae:
    """Vertebral bodies of a CT whose ``skeleton`` is known.

    ``cuts``: planes to use instead of the discs found, each a z position or a (point, normal), LPS mm. ``level``: a
    level's name and a place inside it; all others are counted from it.
    Raises InputError where there is no spine in the field of view, or no cut in the spine.
    """
    report = progress or no_progress
    check_ct(ct)
    report(0.0, "Spine")
    frame = AxialFrame.of(ct.image)
    bone = frame.mask_of((skeleton.masks if isinstance(skeleton, Skeleton) else skeleton)["bone"])
    spine = find_spine(frame, bone, body_mask(frame.array, frame.spacing), cuts)
    if spine is None:
        raise InputError(f"{ct.source or ct.name or 'The CT'}: no spinal canal of 4 cm or more in the field of view.")
    report(0.7, "Vertebral bodies")
    result = label_bodies(spine, frame, level)
    report(1.0, "Vertebrae")
    return result


def find_spine(
    frame: AxialFrame,
    bone: np.ndarray,
    body: np.ndarray,
    cuts: Sequence[float | tuple[Sequence[float], Sequence[float]]] | None = None,
) -> Spine | None:
    """Axis and cuts of the spine in a bone mask of ``frame``; None where there is no spinal canal."""
    canal = find_canal(frame.array, bone, body, frame.spacing)
    if canal is None:
        return None
    axis = SpineAxis.of(canal, frame.spacing)
    discs = find_discs(frame.array, axis, frame.spacing) if cuts is None else _given(cuts, axis, frame)
    column = Column.of(bone, axis, frame.spacing)
    discs, on_sacrum = _above_sacrum(discs, column.sacrum_top(), axis)
    counted = None if on_sacrum else _below_fifth_lumbar(discs, column.rib_ends())
    discs = discs[counted or 0 :]
    return Spine(axis, column, tuple(discs), on_sacrum, on_sacrum or counted is not None)


def label_bodies(spine: Spine, frame: AxialFrame, level: tuple[str, Place] | None = None) -> Vertebrae:
    """Masks and names of the bodies between the spine's cuts. Raises InputError where there is no cut or no body."""
    if not spine.discs:
        raise InputError("No disc was found in the spine; give the cut planes (cuts=...) to separate the vertebrae.")
    bodies = spine.column.bodies(spine.discs, spine.ends_at_l5)
    if not bodies:
        raise InputError("No vertebral body lies between the cuts; give other cut planes (cuts=...).")
    naming = name_levels(
        len(bodies),
        on_sacrum=spine.on_sacrum,
        ribs=_ribs_of(bodies, spine.column.rib_ends()),
        given=None if level is None else (_body_at(level[1], bodies, spine.axis, frame), level[0]),
    )
    if level is None and _uneven(spine.discs) >= _UNEVEN_STEPS:
        remark = "Heights of neighbouring vertebrae jump: the cuts are doubtful. Check them, or give cut planes."
        naming = Naming(tuple(f"vertebra_{i}" for i in range(1, len(bodies) + 1)), "", (remark,))
    named = list(zip(naming.names, bodies, strict=True))
    return Vertebrae(
        {name: frame.to_native(_solid(body, frame.array, frame.spacing)) for name, body in named},
        tuple(_as_lps(disc, frame) for disc in reversed(spine.discs)),
        naming.anchor,
        tuple(name for name, body in named if body.incomplete),
        naming.warnings,
        spine.on_sacrum,
    )


def _uneven(discs: Sequence[Disc]) -> int:
    """How often the distance between discs changes by more than a neighbouring vertebra's can."""
    steps = np.diff([disc.along for disc in discs])
    return int((np.abs(np.diff(np.log(np.maximum(steps, 1.0)))) > np.log(_UNEVEN_RATIO)).sum())


def _above_sacrum(discs: list[Disc], top: float | None, axis: SpineAxis) -> tuple[list[Disc], bool]:
    """The discs from L5/S1 upwards, and whether there is a sacrum below them."""
    if top is None:
        return discs, False
    near = [disc for disc in discs if abs(disc.along - top) <= _SACRAL_DISC_MM]
    if near:
        lowest = min(near, key=lambda disc: abs(disc.along - top))
    else:
        lowest = Disc(top, axis.points[int(top)], axis.up[int(top)], 0.0)
    return [lowest, *(disc for disc in discs if disc.along > lowest.along + 1.0)], True


def _below_fifth_lumbar(discs: Sequence[Disc], ends: np.ndarray) -> int | None:
    """Index of the cut five vertebrae below the last that bears ribs; None where it is not in the field of view."""
    steps = list(itertools.pairwise(discs))[::-1]
    ribs = [len({side for along, side in ends if low.along <= along < high.along}) for low, high in steps]
    last = last_rib(ribs)
    return None if last is None or last + 5 >= len(steps) else len(steps) - 1 - (last + 5)


def _ribs_of(bodies: Sequence[Body], ends: np.ndarray) -> list[int]:
    """Number of ribs at each body (sides counted once); -1 for one that the field of view cuts at the bottom."""
    numbers = [len({side for along, side in ends if body.low <= along < body.high}) for body in bodies]
    if bodies[-1].incomplete:
        numbers.pop()  # a part of a vertebra cannot prove that it bears no rib
    return numbers


def _given(
    cuts: Sequence[float | tuple[Sequence[float], Sequence[float]]], axis: SpineAxis, frame: AxialFrame
) -> list[Disc]:
    """The user's planes as discs, from below."""
    direction = np.reshape(frame.geometry.direction, (3, 3))
    discs = []
    for cut in cuts:
        if isinstance(cut, (int, float)):
            place = _along_of(cut, axis, frame)
            discs.append(Disc(place, axis.points[int(place)], axis.up[int(place)], 1.0))
            continue
        point = frame.index_of(np.reshape(cut[0], (1, 3)))[0] * np.asarray(frame.spacing)
        normal = (np.asarray(cut[1], dtype=np.float64) @ direction)[::-1]
        if not np.linalg.norm(normal) > 0:
            raise InputError(f"The cut plane at {cut[0]} has no normal.")
        normal = normal / np.linalg.norm(normal)
        along = float(axis.coordinates(point[None])[0, 0])
        up = axis.up[min(max(int(along), 0), len(axis.up) - 1)]
        discs.append(Disc(along, point, normal * np.sign(normal @ up), 1.0))
    return sorted(discs, key=lambda disc: disc.along)


def _along_of(place: Place, axis: SpineAxis, frame: AxialFrame) -> float:
    """Where a z position or a point (LPS mm) is along the axis. Raises InputError outside the spine's extent."""
    if isinstance(place, (int, float)):
        lps = frame.points_mm(axis.points / np.asarray(frame.spacing))
        nearest = int(np.abs(lps[:, 2] - place).argmin())
        if abs(lps[nearest, 2] - place) > 5.0:
            raise InputError(f"z = {place} mm lies outside the spine ({lps[0, 2]:.0f} to {lps[-1, 2]:.0f} mm).")
        return float(nearest)
    point = frame.index_of(np.reshape(place, (1, 3))) * np.asarray(frame.spacing)
    return float(axis.coordinates(point)[0, 0])


def _body_at(place: Place, bodies: Sequence[Body], axis: SpineAxis, frame: AxialFrame) -> int:
    along = _along_of(place, axis, frame)
    for index, body in enumerate(bodies):
        if body.low <= along <= body.high:
            return index
    raise InputError(f"No vertebra lies at {place}; give a place inside one.")


def _as_lps(disc: Disc, frame: AxialFrame) -> tuple[tuple[float, ...], tuple[float, ...]]:
    point = frame.points_mm((disc.point / np.asarray(frame.spacing))[None])[0]
    normal = np.reshape(frame.geometry.direction, (3, 3)) @ disc.normal[::-1]
    return tuple(map(float, point)), tuple(map(float, normal))


def _solid(body: Body, hu: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """The body's mask with what it encloses: a lytic lesion belongs to its vertebra, even through a breach of the
    cortex.

    Bodies are convex but for the canal's side: a slice that is far from it has lost part of its bone. At the
    endplates slices that are mostly disc go, by the half-height of this body's own endplates.
    """
    mask = np.zeros(hu.shape, dtype=bool)
    mask.reshape(-1)[body.voxels] = True
    box = crop(mask, margin=1)
    part, values = mask[box], hu[box]
    ends = part & ~ndimage.binary_erosion(part, _ALONG_Z, border_value=1)
    if ends.any():
        part &= ~(ends & (values < 0.5 * (np.percentile(values[ends], 75) + _DISC_HU)))
    part |= holes(part)
    hull = convex_slices(part)
    destroyed = hull.sum(axis=(1, 2)) > _CONVEX * part.sum(axis=(1, 2))
    part[destroyed] |= hull[destroyed]
    mask[box] = part & (values > _LEAST_HU)
    return mask
