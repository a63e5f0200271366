"""The body without the table, and the lungs, from a CT.

The table is hollow and thin-walled: on a coarse grid an opening removes its shells, and whatever is left of it lies
behind the patient's back. The result is grown back to the skin on the CT's own grid.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from bonequant.errors import InputError
from bonequant.roi.morphology import dilate_disc, holes, open_disc

SKIN_HU = -300.0  # half-way from air to soft tissue, low enough for a thin patient's fat with noise
LUNG_HU = -500.0
_COARSE_MM = 4.0
_OPENING_MM = 8.0
_SOFT_TISSUE_HU = (-180.0, 150.0)
_LEAST_BODY_ML = 50.0
_LEAST_PART_ML = 100.0  # an arm beside the body
_LEAST_LUNG_ML = 150.0


def body_mask(hu: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Boolean mask (z, y, x) of the patient, air inside included; ``hu`` in an axial frame, ``spacing`` (z, y, x) mm.

    Raises InputError where no body is found.
    """
    steps = [max(round(_COARSE_MM / s), 1) for s in spacing]
    coarse_spacing = [s * step for s, step in zip(spacing, steps, strict=True)]
    part = hu[:: steps[0], :: steps[1], :: steps[2]]
    solid = part > SKIN_HU
    # What leaves the field of view sideways is no wall to open against: an edge of the array counts as inside.
    filled = solid | holes(solid)
    core = open_disc(filled, _OPENING_MM, coarse_spacing)
    patient = _patient_parts(core, solid, part, float(np.prod(coarse_spacing)) / 1000.0)
    grown = _enlarge(dilate_disc(patient, _COARSE_MM * 1.5, coarse_spacing), steps, hu.shape)
    body = grown & (hu > SKIN_HU)
    body |= _enlarge(patient, steps, hu.shape) & ~body  # lungs and bowel gas, enclosed on the coarse grid
    return body | holes(body, max_area_px=1e4 / (spacing[1] * spacing[2]))


def lung_mask(hu: np.ndarray, body: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Boolean mask of the lungs (with airways), empty where there are none: big air spaces inside the body."""
    steps = [max(round(2.5 / s), 1) for s in spacing]
    window = tuple(slice(None, None, step) for step in steps)
    air = (hu[window] < LUNG_HU) & body[window]
    labels, count = ndimage.label(air)
    voxel_ml = np.prod([s * step for s, step in zip(spacing, steps, strict=True)]) / 1000.0
    volume = np.bincount(labels.ravel(), minlength=count + 1) * voxel_ml
    mean = ndimage.mean(hu[window], labels, np.arange(count + 1)) if count else np.zeros(1)
    keep = (volume > _LEAST_LUNG_ML) & (np.asarray(mean) > -950.0)  # gas in the bowel is -1000
    keep[0] = False
    return _enlarge(keep[labels], steps, hu.shape) & (hu < LUNG_HU)


def _patient_parts(core: np.ndarray, solid: np.ndarray, hu: np.ndarray, voxel_ml: float) -> np.ndarray:
    """The largest part, and any other (an arm) that is soft tissue and not behind the back."""
    labels, count = ndimage.label(core)
    if count == 0:
        raise InputError("No body found in the CT: nothing thicker than a table lies above -300 HU. Is it in HU?")
    ids = np.arange(1, count + 1)
    volume = ndimage.sum_labels(solid, labels, ids) * voxel_ml
    soft = solid & (hu > _SOFT_TISSUE_HU[0]) & (hu < _SOFT_TISSUE_HU[1])
    softness = ndimage.sum_labels(soft, labels, ids) * voxel_ml / np.maximum(volume, 1e-9)
    main = int(np.argmax(volume * softness)) + 1
    if volume[main - 1] < _LEAST_BODY_ML:
        raise InputError(f"No body found in the CT: the largest soft part has {volume[main - 1]:.0f} mL. Is it in HU?")
    patient = labels == main
    rows = np.arange(core.shape[1])[None, :, None]
    back = np.where(patient, rows, -1).max(axis=(1, 2))  # most posterior row of each slice
    for part in ids[(volume > _LEAST_PART_ML) & (softness > 0.7)]:
        if part != main:
            z, y, _ = np.nonzero(labels == part)
            if np.median(y - back[z]) < 0:
                patient |= labels == part
    return patient


def _enlarge(mask: np.ndarray, steps: Sequence[int], shape: tuple[int, ...]) -> np.ndarray:
    """Each coarse voxel stands in the middle of the block it was taken from."""
    for axis, step in enumerate(steps):
        index = np.minimum((np.arange(shape[axis]) + step // 2) // step, mask.shape[axis] - 1)
        mask = np.take(mask, index, axis=axis)
    return mask
