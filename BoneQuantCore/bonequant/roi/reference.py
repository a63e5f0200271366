"""Reference regions from CT: blood pool in the aorta, back muscle, and a sphere in the right lobe of the liver.

Each comes with a confidence, or not at all with the reason and the way out: a ratio to a wrong region is worse than
none. The liver sphere is the 3 cm one of PERCIST; the aorta is eroded by its wall; the muscle is eroded from fat
and bone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from bonequant.progress import Progress, no_progress
from bonequant.roi.aorta import find_aorta
from bonequant.roi.axial import AxialFrame, check_ct
from bonequant.roi.body import body_mask, lung_mask
from bonequant.roi.canal import Canal, find_canal
from bonequant.volume import Volume

_AORTA_FRACTION = 0.6  # of the radius: clear of the wall and of half the motion
_LEAST_BLOOD_ML = 2.0
_CALCIFIED_HU = 110.0  # above the blood
_MUSCLE_HU = (5.0, 110.0)  # strands of fat lower an old muscle's mean
_MUSCLE_ASIDE_MM, _MUSCLE_BEHIND_MM = (12.0, 55.0), (-5.0, 50.0)
_LEAST_MUSCLE_ML = 10.0
_MUSCLE_EDGE_MM = 4.0
_LEAST_CONFIDENCE = 0.25
_LIVER_HU = (30.0, 190.0)
_LIVER_RADIUS_MM = 15.0
_LIVER_CLEARANCE_MM = 20.0  # depth of the sphere's centre in the organ, so that the sphere lies whole inside
_LIVER_SPREAD_HU = 12.0


@dataclass(frozen=True, eq=False)
class Reference:
    """A reference region, or why there is none.

    Attributes:
        name: "blood_pool", "muscle" or "liver".
        mask: uint8 on the CT's grid; None where nothing was found with confidence.
        confidence: 0 to 1; how well the place looks like what it should be.
        message: what was found, or why not and what to do.
    """

    name: str
    mask: sitk.Image | None
    confidence: float
    message: str


def reference_regions(
    ct: Volume, masks: Mapping[str, sitk.Image], progress: Progress | None = None
) -> dict[str, Reference]:
    """ "blood_pool", "muscle" and "liver" of a CT whose "bone" is among ``masks``."""
    report = progress or no_progress
    check_ct(ct)
    frame = AxialFrame.of(ct.image)
    bone = frame.mask_of(masks["bone"])
    body = body_mask(frame.array, frame.spacing)
    hu = _smooth(frame)
    report(0.3, "Reference regions")
    canal = find_canal(hu, bone, body, frame.spacing)
    found = [_blood_pool(frame, hu, bone, canal)]
    report(0.6, "Reference regions")
    found.append(_muscle(frame, hu, bone, body, canal))
    report(0.8, "Reference regions")
    found.append(_liver(frame, hu, bone, body, canal))
    report(1.0, "Reference regions")
    return {r.name: r if r.mask is None or r.confidence >= _LEAST_CONFIDENCE else _doubtful(r) for r in found}


def _smooth(frame: AxialFrame) -> np.ndarray:
    """HU after a 3 mm box in each slice: single noisy voxels do not decide."""
    size = [1] + [max(round(3.0 / s) // 2 * 2 + 1, 1) for s in frame.spacing[1:]]
    return ndimage.uniform_filter(frame.array.astype(np.float32), size)


def _missing(name: str, reason: str) -> Reference:
    return Reference(name, None, 0.0, f"{name}: not found ({reason}); draw it to have ratios to it.")


def _doubtful(reference: Reference) -> Reference:
    return _missing(reference.name, f"the best candidate is doubtful, confidence {reference.confidence:.2f}")


def _blood_pool(frame: AxialFrame, hu: np.ndarray, bone: np.ndarray, canal: Canal | None) -> Reference:
    aorta = None if canal is None else find_aorta(hu, canal, frame.spacing)
    if aorta is None:
        return _missing("blood_pool", "no round, even vessel in front of the spine")
    mask = aorta.mask(hu.shape, frame.spacing, _AORTA_FRACTION) & ~bone
    mask &= np.abs(hu - aorta.mean_hu) < _CALCIFIED_HU
    volume = float(mask.sum() * frame.voxel_ml)
    if volume < _LEAST_BLOOD_ML:
        return _missing("blood_pool", f"only {volume:.1f} mL of the aorta is free of wall and calcium")
    message = f"blood_pool: {volume:.1f} mL inside the aorta, {aorta.mean_hu:.0f} HU"
    return Reference("blood_pool", frame.to_native(mask), float(aorta.score.mean()), message)


def _muscle(frame: AxialFrame, hu: np.ndarray, bone: np.ndarray, body: np.ndarray, canal: Canal | None) -> Reference:
    """Erector spinae on both sides of the spinous processes, lumbar and lower thoracic levels."""
    if canal is None:
        return _missing("muscle", "no spine in the field of view")
    spacing = frame.spacing
    lean = (hu > _MUSCLE_HU[0]) & (hu < _MUSCLE_HU[1]) & body & ~bone
    box = np.zeros(hu.shape, dtype=bool)
    y, x = np.ogrid[: hu.shape[1], : hu.shape[2]]
    for cz, cy, cx in canal.centre[: max(int(0.6 * len(canal.centre)), 1)]:  # the shoulders' muscles are others
        aside, behind = np.abs(x - cx) * spacing[2], (y - cy) * spacing[1]
        box[int(cz)] = (
            (aside > _MUSCLE_ASIDE_MM[0])
            & (aside < _MUSCLE_ASIDE_MM[1])
            & (behind > _MUSCLE_BEHIND_MM[0])
            & (behind < _MUSCLE_BEHIND_MM[1])
        )
    pixels = [max(round(_MUSCLE_EDGE_MM / s), 1) for s in spacing]
    core = ndimage.minimum_filter((lean & box).astype(np.uint8), (1, 2 * pixels[1] + 1, 2 * pixels[2] + 1)) > 0
    volume = float(core.sum() * frame.voxel_ml)
    if volume < _LEAST_MUSCLE_ML:
        return _missing("muscle", f"only {volume:.0f} mL of back muscle lies clear of fat and bone")
    middle = float(np.median(canal.centre[:, 2]))
    sides = [float(core[:, :, : int(middle)].sum()), float(core[:, :, int(middle) :].sum())]
    balance = min(sides) / max(sides)
    message = f"muscle: {volume:.0f} mL of the back muscles, {hu[core].mean():.0f} HU"
    return Reference("muscle", frame.to_native(core), float(balance * min(volume / 50.0, 1.0)), message)


def _liver(frame: AxialFrame, hu: np.ndarray, bone: np.ndarray, body: np.ndarray, canal: Canal | None) -> Reference:
    """The deepest, most even place of the large soft organ on the right below the lung."""
    spacing = np.asarray(frame.spacing)
    steps = [max(round(4.0 / s), 1) for s in spacing]
    window = tuple(slice(None, None, step) for step in steps)
    coarse = spacing * steps
    part = ndimage.uniform_filter(hu, [2 * (s // 2) + 1 for s in steps])[window]
    soft = (part > _LIVER_HU[0]) & (part < _LIVER_HU[1]) & body[window] & ~bone[window]
    lungs = lung_mask(frame.array, body, frame.spacing)[window]
    middle = float(np.median(canal.centre[:, 2]) / steps[2]) if canal is not None else part.shape[2] / 2
    right = np.zeros(soft.shape, dtype=bool)
    right[:, :, : max(int(middle - 20.0 / coarse[2]), 0)] = True
    depth = ndimage.distance_transform_edt(np.pad(soft & right, 1), coarse)[1:-1, 1:-1, 1:-1]
    mean = ndimage.uniform_filter(part, [max(round(30.0 / c), 1) for c in coarse])
    square = ndimage.uniform_filter(part.astype(np.float64) ** 2, [max(round(30.0 / c), 1) for c in coarse])
    spread = np.sqrt(np.maximum(square - mean.astype(np.float64) ** 2, 0.0))
    good = (depth > _LIVER_CLEARANCE_MM) & (spread < _LIVER_SPREAD_HU)
    if not lungs.any():
        return _missing("liver", "no lung in the field of view to tell it from muscle")
    top = np.flatnonzero(lungs.any(axis=(1, 2)))[0]
    good[: max(int(top - 150.0 / coarse[0]), 0)] = False  # the liver hangs under the lung
    if not good.any():
        return _missing("liver", "no even organ of 4 cm depth on the right below the lung")
    labels, _ = ndimage.label(good)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    organ = labels == sizes.argmax()
    place = np.asarray(np.unravel_index(int(np.where(organ, depth - spread, -np.inf).argmax()), depth.shape))
    centre = place * steps * spacing
    z, y, x = (np.arange(n) * s - c for n, s, c in zip(hu.shape, spacing, centre, strict=True))
    sphere = z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2 <= _LIVER_RADIUS_MM**2
    confidence = float(np.clip(depth[tuple(place)] / 40.0, 0, 1) * np.clip(1.2 - spread[tuple(place)] / 20.0, 0, 1))
    message = f"liver: a 3 cm sphere in the right lobe, {hu[sphere].mean():.0f} HU"
    return Reference("liver", frame.to_native(sphere), confidence, message)
