"""How far a registration can be trusted: four measures, and one light with its reason.

The light is green ("ok"), amber ("check") or red ("warn"). The yardstick is one voxel of the coarser image, which for
SPECT/CT is the SPECT's: an answer that depends on its start by more than that is not one, and a hybrid scanner's own
alignment that was left by more than that must be looked at.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bonequant.errors import RegistrationError
from bonequant.registration.metric import MutualInformation
from bonequant.registration.rigid import Motion, Tick, climb, information_of

_HOTTEST = 0.15  # of the body: about the share of bone in a torso at SPECT resolution
_PERTURBED_MM = ((8.0, -6.0, 5.0), (-7.0, 5.0, 8.0), (5.0, 8.0, -7.0), (-6.0, -7.0, -6.0))
_FIRST_STEP_MM = 2.0


@dataclass(frozen=True)
class RegistrationQuality:
    """Measures of one registration.

    Attributes:
        metric: mutual information of the alignment given, nat.
        metric_scanner: the same with the scanner's geometry; NaN where the images do not overlap there.
        gain: ``metric / metric_scanner - 1``.
        agreement_mm: largest over perturbed starts, each with its own quarter of the voxels, of the mean distance over
            the body between where that search ended and the answer of the search.
        bone_overlap: of the hottest 15 % of the body's voxels, the share that is among the boniest 15 %; NaN without CT
            or functional image. Reads high for bone tracers and low for others, whatever the alignment.
        bone_overlap_scanner: the same with the scanner's geometry.
        displacement_mm: mean distance over the body from the scanner's alignment; of the alignment given.
        displacement_max_mm: the largest one.
        voxel_mm: the yardstick, largest voxel edge of the coarser image.
        level: "ok", "check" or "warn".
        text: why.
    """

    metric: float
    metric_scanner: float
    gain: float
    agreement_mm: float
    bone_overlap: float
    bone_overlap_scanner: float
    displacement_mm: float
    displacement_max_mm: float
    voxel_mm: float
    level: str
    text: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def agreement_mm(metric: MutualInformation, answer: Motion, points: np.ndarray, tick: Tick) -> float:
    """Search again from perturbed starts with disjoint quarters of the voxels; see ``RegistrationQuality``."""
    worst = 0.0
    there = answer.apply(points)
    for part, (a, b, c) in enumerate(_PERTURBED_MM):
        start = answer.moved(answer.parameters.copy())
        start.parameters[-3:] += (a, b, c)
        start.parameters[:3] += (b, c, a) if answer.parameters.size == 6 else (0.0, 0.0, 0.0)
        try:
            end, _ = climb(metric.over(metric.samples.every(len(_PERTURBED_MM), part)), start, _FIRST_STEP_MM, tick)
        except RegistrationError:
            return float("inf")
        worst = max(worst, float(np.sqrt(((end.apply(points) - there) ** 2).sum(axis=0)).mean()))
    return worst


def bone_overlaps(
    metric: MutualInformation, bone: np.ndarray | None, motion: Motion, scanner: Motion
) -> tuple[float, float]:
    """Overlap of uptake and ``bone`` (share of bone on the metric's image grid) with the motion, and the scanner's."""
    if bone is None:
        return float("nan"), float("nan")
    points, uptake = metric.samples.points, metric.samples.values
    return tuple(_overlap(uptake, metric.sample(bone, m.apply(points))) for m in (motion, scanner))  # type: ignore[return-value]


def value_or_nan(metric: MutualInformation, motion: Motion) -> float:
    """Mutual information (nat), or NaN where the images do not overlap."""
    try:
        return information_of(metric, motion)
    except RegistrationError:
        return float("nan")


def assess(
    *,
    value: float,
    scanner_value: float,
    agreement: float,
    bone_overlaps: tuple[float, float],
    displacements: np.ndarray,
    voxel_mm: float,
    inside: float,
    kept: bool,
    one_frame: bool,
) -> RegistrationQuality:
    """The measures and the light. ``inside``: share of the sampled body inside the other image."""
    displacement = float(displacements.mean())
    level, text = _light(agreement, displacement if one_frame else 0.0, voxel_mm, inside, kept)
    return RegistrationQuality(
        metric=value,
        metric_scanner=scanner_value,
        gain=value / scanner_value - 1.0,
        agreement_mm=agreement,
        bone_overlap=bone_overlaps[0],
        bone_overlap_scanner=bone_overlaps[1],
        displacement_mm=displacement,
        displacement_max_mm=float(displacements.max()),
        voxel_mm=voxel_mm,
        level=level,
        text=text,
    )


def _light(agreement: float, displacement: float, voxel_mm: float, inside: float, kept: bool) -> tuple[str, str]:
    if inside < 0.3:
        return "warn", f"Only {inside:.0%} of the body lies inside the other image: look at the fused pictures."
    if agreement > voxel_mm:
        return "warn", (
            f"Searches from other starts end {agreement:.1f} mm apart, more than one voxel ({voxel_mm:.1f} mm): "
            "align by hand or check the images."
        )
    if displacement > voxel_mm:
        return "warn", (
            f"The body lies {displacement:.1f} mm from where the scanner put it, over one voxel ({voxel_mm:.1f} mm): "
            "the patient moved between the scans, or the search went wrong. Look at the fused pictures."
        )
    if agreement > 0.5 * voxel_mm:
        return "check", f"Searches from other starts end {agreement:.1f} mm apart, more than half a voxel."
    if inside < 0.6:
        return "check", f"Only {inside:.0%} of the body lies inside the other image."
    if kept:
        return "ok", "The scanner's own alignment was kept: no better one was found."
    return "ok", f"Searches from other starts agree within {agreement:.1f} mm."


def _overlap(uptake: np.ndarray, bone: np.ndarray) -> float:
    known = np.isfinite(bone)
    if known.sum() < 100 or not np.any(bone[known] > 0.0):
        return float("nan")
    hot, bony = _top(uptake[known]), _top(bone[known])
    return float((hot & bony).sum() / hot.sum())


def _top(values: np.ndarray) -> np.ndarray:
    """The highest 15 %, exactly, ties by order."""
    chosen = np.zeros(values.size, dtype=bool)
    chosen[np.argsort(-values, kind="stable")[: max(1, round(_HOTTEST * values.size))]] = True
    return chosen
