"""The skeleton in parts: spine, pelvis, ribs, femora and the rest, from the bone mask, the spine's axis and the
lungs.

What lies close around the axis is spine, above the sacrum; ribs leave the spine sideways and follow the lungs; the
pelvis hangs on the sacrum; a femur is the ball in the hip and what goes on from it. Bone that fits nowhere is
"other_bone" rather than guessed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from bonequant.roi.axial import crop, paste
from bonequant.roi.morphology import convex_slices
from bonequant.roi.spine_axis import SpineAxis

_SPINE_HALF_WIDTH_MM = 30.0  # rib heads and necks within it stay with the spine
_PROCESS_MM = 46.0  # transverse processes without ribs reach this far
_BEHIND_MM, _BEFORE_MM = 95.0, 34.0
_STERNUM_BEFORE_MM, _STERNUM_HALF_WIDTH_MM = 55.0, 34.0
_RIB_THICKNESS_MM = 9.0  # half-thickness that no rib has
_PLEURA_MM = (-6.0, 16.0)  # where ribs lie, from the surface of the lungs' hull outwards
_PELVIS_HALF_WIDTH_MM, _HIP_ASIDE_MM = 200.0, 135.0
_CREST_MM = 90.0  # how far the iliac crest may rise above the sacral disc
_FEMORAL_HEAD_MM = (19.0, 28.0)  # radius in adults; a smaller ball is the roof of the socket
_LEAST_PELVIS_ML = 20.0


def bone_parts(
    bone: np.ndarray, lungs: np.ndarray, axis: SpineAxis | None, sacral_disc: float | None, spacing: Sequence[float]
) -> dict[str, np.ndarray]:
    """Masks (z, y, x) of "spine", "pelvis", "ribs", "femora", "other_bone"; those that are not there are left out.

    ``sacral_disc``: where along ``axis`` the sacrum begins, mm; None where there is none in the field of view.
    """
    if axis is None:
        return {"other_bone": bone}
    box = crop(bone, margin=2)
    parts = _parts_in(bone[box], lungs[box], axis.moved(box, spacing), sacral_disc, spacing)
    return {name: paste(mask, box, bone.shape) for name, mask in parts.items() if mask.any()}


def _parts_in(
    bone: np.ndarray, lungs: np.ndarray, axis: SpineAxis, sacral_disc: float | None, spacing: Sequence[float]
) -> dict[str, np.ndarray]:
    voxels = np.argwhere(bone)
    at = axis.coordinates(voxels * np.asarray(spacing))
    spine = _as_mask(voxels[_in_spine(at, sacral_disc, len(axis.points))], bone.shape)
    rest = bone & ~spine
    spine |= _process_tips(rest, spine, at, voxels)
    rest &= ~spine
    parts = {"spine": spine}
    if sacral_disc is not None:
        pelvis = _pelvis(rest, axis, sacral_disc, spacing)
        femora = _femora(pelvis, axis, sacral_disc, spacing)
        parts |= {"pelvis": pelvis & ~femora, "femora": femora}
        rest &= ~pelvis
    parts["ribs"] = _ribs(rest, lungs, axis, spacing)
    parts["other_bone"] = rest & ~parts["ribs"]
    return parts


def _in_spine(at: np.ndarray, sacral_disc: float | None, length: int) -> np.ndarray:
    along, left, front = at.T
    inside = (np.abs(left) < _SPINE_HALF_WIDTH_MM) & (front > -_BEHIND_MM) & (front < _BEFORE_MM)
    inside &= along < length + 15.0
    # Behind the canal the spinous process of L5 hangs down beside the sacrum's; the cut follows the disc.
    return inside & (along >= sacral_disc) if sacral_disc is not None else inside & (along > -15.0)


def _process_tips(rest: np.ndarray, spine: np.ndarray, at: np.ndarray, voxels: np.ndarray) -> np.ndarray:
    """Pieces of the rest that touch the spine and end within reach of a transverse process."""
    labels, count = ndimage.label(rest)
    if count == 0:
        return rest
    number = labels[tuple(voxels.T)]
    reach = np.zeros(count + 1)
    np.maximum.at(reach, number, np.abs(at[:, 1]))
    touching = np.zeros(count + 1, dtype=bool)
    touching[np.unique(labels[ndimage.binary_dilation(spine) & rest])] = True
    keep = touching & (reach < _PROCESS_MM)
    keep[0] = False
    return keep[labels]


def _pelvis(rest: np.ndarray, axis: SpineAxis, sacral_disc: float, spacing: Sequence[float]) -> np.ndarray:
    """Sacrum, hip bones and what hangs on them: large pieces that reach below the sacral disc near the midline."""
    top = axis.points[min(int(sacral_disc), len(axis.points) - 1)]
    labels, count = ndimage.label(rest)
    voxels = np.argwhere(rest)
    number = labels[tuple(voxels.T)]
    up, left = voxels[:, 0] * spacing[0] - top[0], voxels[:, 2] * spacing[2] - top[2]
    size = np.bincount(number, minlength=count + 1)
    volume_ml = size * float(np.prod(spacing)) / 1000.0
    aside = np.abs(np.bincount(number, weights=left, minlength=count + 1) / np.maximum(size, 1))
    lowest, highest, widest = np.full(count + 1, np.inf), np.full(count + 1, -np.inf), np.zeros(count + 1)
    np.minimum.at(lowest, number, up)
    np.maximum.at(highest, number, up)
    np.maximum.at(widest, number, np.abs(left))
    keep = (lowest < 0.0) & (highest < _CREST_MM) & (widest < _PELVIS_HALF_WIDTH_MM)
    keep &= ((volume_ml > _LEAST_PELVIS_ML) & (aside < _HIP_ASIDE_MM)) | ((volume_ml > 2.0) & (aside < 60.0))
    return keep[labels]


def _femora(pelvis: np.ndarray, axis: SpineAxis, sacral_disc: float, spacing: Sequence[float]) -> np.ndarray:
    """Both femora as far as they are seen: heads by the largest ball inscribed below the sacrum, the rest by its
    place."""
    femora = np.zeros(pelvis.shape, dtype=bool)
    if not pelvis.any():
        return femora
    top = axis.points[min(int(sacral_disc), len(axis.points) - 1)]
    box = crop(pelvis, margin=1)
    steps = [max(round(2.0 / s), 1) for s in spacing]
    window = tuple(slice(s.start, s.stop, step) for s, step in zip(box, steps, strict=True))
    coarse_spacing = np.asarray([s * step for s, step in zip(spacing, steps, strict=True)])
    part = np.pad(pelvis[window], ((1, 1), (0, 0), (0, 0)), mode="edge")  # the field may end within the head
    part = np.pad(part, ((0, 0), (1, 1), (1, 1)))
    depth = ndimage.distance_transform_edt(part, coarse_spacing)[1:-1, 1:-1, 1:-1]
    origin = np.asarray([s.start for s in box]) * np.asarray(spacing)
    z, _, x = (np.arange(n) * h + o for n, h, o in zip(depth.shape, coarse_spacing, origin, strict=True))
    low = (z < top[0] - 60.0)[:, None, None]
    for side in (1.0, -1.0):
        lateral = side * (x - top[2])
        where = np.where(low & ((lateral > 50.0) & (lateral < 140.0))[None, None, :], depth, 0.0)
        radius = float(where.max())
        if not _FEMORAL_HEAD_MM[0] <= radius:
            continue
        head = np.asarray(np.unravel_index(int(where.argmax()), where.shape)) * coarse_spacing + origin
        femora |= _femur(pelvis, head, min(radius, _FEMORAL_HEAD_MM[1]), side, spacing)
    return femora


def _femur(pelvis: np.ndarray, head: np.ndarray, radius: float, side: float, spacing: Sequence[float]) -> np.ndarray:
    """The ball; outward of it, below its top, neck and trochanters; far below it, the shaft. The socket is none of
    these."""
    up, back, left = np.ogrid[tuple(slice(n) for n in pelvis.shape)]
    up, back, left = (axis * h - c for axis, h, c in zip((up, back, left), spacing, head, strict=True))
    outward = side * left
    femur = up**2 + back**2 + outward**2 < (radius + 1.0) ** 2
    femur |= (outward > 0.6 * radius) & (up < 0.3 * radius) & (np.abs(back) < 4.0 * radius)
    femur |= (up < -2.5 * radius) & (outward > -0.3 * radius)
    return femur & pelvis


def _ribs(rest: np.ndarray, lungs: np.ndarray, axis: SpineAxis, spacing: Sequence[float]) -> np.ndarray:
    """Thin pieces that begin beside the spine or lie on the lungs' hull, the sternum left out."""
    steps = [max(round(3.0 / s), 1) for s in spacing]
    window = tuple(slice(None, None, step) for step in steps)
    coarse_spacing = [s * step for s, step in zip(spacing, steps, strict=True)]
    hull = convex_slices(lungs[window])
    outside = ndimage.distance_transform_edt(~hull, coarse_spacing) - ndimage.distance_transform_edt(
        hull, coarse_spacing
    )
    voxels = np.argwhere(rest)
    if not len(voxels):
        return rest
    at = axis.coordinates(voxels * np.asarray(spacing))
    sternum = (at[:, 2] > _STERNUM_BEFORE_MM) & (np.abs(at[:, 1]) < _STERNUM_HALF_WIDTH_MM)
    candidates = rest.copy()
    candidates[tuple(voxels[sternum].T)] = False
    labels, count = ndimage.label(candidates)
    number = labels[tuple(voxels.T)]
    size = np.bincount(number, minlength=count + 1)
    has_lungs = bool(hull.any())
    pleura = outside[tuple((np.minimum(voxels // steps, np.asarray(outside.shape) - 1)).T)]
    near = (pleura > _PLEURA_MM[0]) & (pleura < _PLEURA_MM[1])
    share = np.bincount(number, weights=near, minlength=count + 1) / np.maximum(size, 1)
    radial = np.hypot(at[:, 1], at[:, 2] + 10.0)
    first = np.full(count + 1, np.inf)
    last = np.zeros(count + 1)
    np.minimum.at(first, number, radial)
    np.maximum.at(last, number, radial)
    depth = ndimage.distance_transform_edt(candidates[window], coarse_spacing)
    thickness = np.asarray(ndimage.maximum(depth, labels[window], np.arange(count + 1)))
    from_spine = (first < _PROCESS_MM) & (last > 60.0)
    rib = (thickness < _RIB_THICKNESS_MM) & (from_spine | (has_lungs & (share > 0.6)))
    rib[0] = False
    return rib[labels]


def _as_mask(voxels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(voxels.T)] = True
    return mask
