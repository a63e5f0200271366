"""Lesion candidates: where bone takes up more than the patient's own normal bone, with the region and the CT type
of each.

Uptake is sampled at the bone's voxels on the CT's grid. Normal is the median of the same kind of bone (spine,
pelvis, ribs apart: ribs look colder by partial volume), its sd from the median absolute deviation, which lesions
hardly move. CT type: :mod:`bonequant.response.ct_typing`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress
from bonequant.response.ct_typing import NormalBone, ct_typing
from bonequant.roi.axial import AxialFrame, check_ct, crop
from bonequant.roi.levels import is_level
from bonequant.roi.morphology import erode_disc
from bonequant.volume import Volume, sample_at

_KINDS_OF_BONE = ("spine", "pelvis", "ribs", "femora", "other_bone")
_LEAST_SD = 0.10  # of the median: even bone is not more even than this on SPECT
_CORTEX_MM = 3.0
_LEAST_VOXELS = 20
_SPILL_MM = 12.0  # about the resolution of SPECT
_SPLIT_LEVELS = (0.5, 0.6, 0.7, 0.8)


@dataclass(frozen=True, eq=False)
class LesionCandidate:
    """One candidate, for a physician to accept or refuse.

    Attributes:
        name: "lesion_1" is the one with the highest peak.
        mask: uint8 on the CT's grid, inside the bone.
        region: the vertebra, or the kind of bone, most of it lies in.
        volume_ml: volume of the mask.
        peak, mean: highest and mean uptake at the mask's CT voxels, in the functional image's unit.
        ratio: mean over the median of normal bone of the same kind.
        mean_hu: mean HU over the mask.
        kind: "lytic", "blastic", "mixed", "unremarkable" on CT, or "undetermined" where too little lies inside the
        cortex. lytic_fraction, blastic_fraction: fractions of the voxels inside the cortex, NaN where undetermined.
    """

    name: str
    mask: sitk.Image
    region: str
    volume_ml: float
    peak: float
    mean: float
    ratio: float
    mean_hu: float
    kind: str
    lytic_fraction: float
    blastic_fraction: float


def lesion_candidates(
    ct: Volume,
    functional: Volume,
    regions: Mapping[str, sitk.Image],
    transform: sitk.Transform | None = None,
    *,
    sd: float = 4.0,
    min_ml: float = 1.0,
    progress: Progress | None = None,
) -> tuple[LesionCandidate, ...]:
    """Candidates by falling peak. ``regions``: masks on the CT's grid, "bone" at least, better with spine, pelvis,
    ribs, vertebrae.

    ``transform`` takes points of the CT to points of ``functional``. ``sd``: how many standard deviations above
    normal bone. Raises InputError where the bone lies outside the functional image.
    """
    report = progress or no_progress
    check_ct(ct)
    frame = AxialFrame.of(ct.image)
    whole = frame.mask_of(regions["bone"])
    box = crop(whole, margin=2)
    bone, hu = whole[box], frame.array[box]
    corner = np.array([s.start for s in box])
    report(0.1, "Uptake of the bone")
    uptake = np.full(bone.shape, np.nan, dtype=np.float32)
    points = np.argwhere(bone) + corner
    uptake[bone] = sample_at(functional.image, frame.points_mm(points), transform)
    seen = bone & np.isfinite(uptake)
    if not seen.any():
        raise InputError("No bone of the CT lies inside the functional image; check the registration.")
    kinds = {name: frame.mask_of(regions[name])[box] & seen for name in _KINDS_OF_BONE if name in regions}
    kinds["bone"] = seen & ~np.logical_or.reduce([np.zeros_like(seen), *kinds.values()])
    report(0.5, "Lesion candidates")
    normal: dict[str, float] = {}
    hot = np.zeros_like(seen)
    for name, mask in kinds.items():
        if mask.sum() >= _LEAST_VOXELS:
            median, spread = _robust(uptake[mask])
            normal[name] = median
            hot |= mask & (uptake > median + sd * max(spread, _LEAST_SD * abs(median)))
    parts = [
        part
        for part in _separate(hot, uptake, frame, min_ml)
        if not _spilled(part, bone, float(uptake[part].max()), corner, frame, functional, transform)
    ]
    inner = erode_disc(bone, _CORTEX_MM, frame.spacing)
    trabecular = _trabecular(inner & ~hot, hu, kinds)
    places = {
        **kinds,
        **{n: frame.mask_of(regions[n])[box] for n in regions if is_level(n)},
    }
    found = []
    for part in parts:
        kind = max(kinds, key=lambda name: int((kinds[name] & part).sum()))
        ct_kind, lytic, blastic = _type(hu[part & inner], trabecular.get(kind) or trabecular["bone"])
        values = uptake[part]
        full = np.zeros(whole.shape, dtype=bool)
        full[box] = part
        found.append(
            LesionCandidate(
                name="",
                mask=frame.to_native(full),
                region=_region(part, places, kind),
                volume_ml=float(part.sum() * frame.voxel_ml),
                peak=float(values.max()),
                mean=float(values.mean()),
                ratio=float(values.mean() / normal[kind]) if normal.get(kind) else float("nan"),
                mean_hu=float(hu[part].mean()),
                kind=ct_kind,
                lytic_fraction=lytic,
                blastic_fraction=blastic,
            )
        )
    found.sort(key=lambda lesion: -lesion.peak)
    report(1.0, "Lesion candidates")
    return tuple(_renamed(lesion, f"lesion_{i}") for i, lesion in enumerate(found, start=1))


def _robust(values: np.ndarray) -> tuple[float, float]:
    median = float(np.median(values))
    return median, float(1.4826 * np.median(np.abs(values - median)))


def _separate(hot: np.ndarray, uptake: np.ndarray, frame: AxialFrame, min_ml: float) -> list[np.ndarray]:
    """Connected hot parts of at least ``min_ml``; a part with several maxima is split where they part most."""
    least = min_ml / frame.voxel_ml
    labels, _ = ndimage.label(hot, structure=np.ones((3, 3, 3)))
    parts = []
    for number, window in enumerate(ndimage.find_objects(labels), start=1):
        part = labels[window] == number
        if part.sum() < least:
            continue
        values = np.where(part, uptake[window], 0.0)
        best: np.ndarray | None = None
        best_count = 1
        for level in _SPLIT_LEVELS:
            cores, count = ndimage.label(values > level * values.max(), structure=np.ones((3, 3, 3)))
            size = np.bincount(cores.ravel(), minlength=count + 1)
            keep = np.flatnonzero(size >= 0.5 * least)
            keep = keep[keep > 0]
            if len(keep) > best_count:
                best_count, best = len(keep), np.where(np.isin(cores, keep), cores, 0)
        if best is None:
            owners = part.astype(int)
        else:
            nearest = ndimage.distance_transform_edt(
                best == 0, frame.spacing, return_distances=False, return_indices=True
            )
            owners = np.where(part, best[tuple(nearest)], 0)
        for owner in np.unique(owners[owners > 0]):
            piece = np.zeros(hot.shape, dtype=bool)
            piece[window] = owners == owner
            if piece.sum() >= least:
                parts.append(piece)
    return parts


def _spilled(
    part: np.ndarray,
    bone: np.ndarray,
    peak: float,
    corner: np.ndarray,
    frame: AxialFrame,
    functional: Volume,
    transform: sitk.Transform | None,
) -> bool:
    """Is it the blur of a hotter organ beside the bone (liver, kidney, bladder)? Then uptake goes on rising
    outside."""
    margin = max(int(_SPILL_MM / s) + 1 for s in frame.spacing)
    window = crop(part, margin)
    near = ndimage.distance_transform_edt(~part[window], frame.spacing) < _SPILL_MM
    around = np.argwhere(near & ~bone[window])
    if not len(around):
        return False
    points = around[:: max(len(around) // 4000, 1)] + [s.start for s in window] + corner
    values = sample_at(functional.image, frame.points_mm(points), transform, "linear")
    return bool(np.nanpercentile(values, 98) > peak) if np.isfinite(values).any() else False


def _trabecular(normal: np.ndarray, hu: np.ndarray, kinds: Mapping[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    """Mean and sd of HU of normal trabecular bone, by kind; "bone" is all kinds together."""
    found = {"bone": _robust(hu[normal]) if normal.sum() >= _LEAST_VOXELS else (float("nan"), float("nan"))}
    for name, mask in kinds.items():
        if name != "bone" and (mask & normal).sum() >= 50 * _LEAST_VOXELS:
            found[name] = _robust(hu[mask & normal])
    return found


def _type(hu: np.ndarray, normal: tuple[float, float]) -> tuple[str, float, float]:
    """Kind, lytic and blastic fraction by the response criteria's rule; "undetermined" where that gives none."""
    if not np.isfinite(normal[0]):
        return "undetermined", float("nan"), float("nan")
    call = ct_typing(hu, NormalBone(*normal))
    kind = "undetermined" if call.category == "NE" else call.category
    return kind, call.values["lytic_fraction"], call.values["blastic_fraction"]


def _region(part: np.ndarray, places: Mapping[str, np.ndarray], kind: str) -> str:
    """The vertebra that holds most of it, if it holds 30 % or more, else the kind of bone."""
    share = {name: int((mask & part).sum()) for name, mask in places.items() if name not in (*_KINDS_OF_BONE, "bone")}
    best = max(share, key=lambda name: share[name], default=None)
    return best if best is not None and share[best] >= 0.3 * part.sum() else kind


def _renamed(lesion: LesionCandidate, name: str) -> LesionCandidate:
    return dataclasses.replace(lesion, name=name)
