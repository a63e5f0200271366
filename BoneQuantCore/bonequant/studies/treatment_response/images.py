"""Further images of each date (SPECT, PET, CT, ADC, any other): lesions measured, burden, types and patterns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress
from bonequant.registration import chain
from bonequant.response import (
    Call,
    DwiChange,
    NormalBone,
    SkeletonFraction,
    TumourBurden,
    adc_pattern,
    ct_typing,
    skeleton_fraction_index,
    tumour_burden,
)
from bonequant.response.compare import percent_change
from bonequant.roi import RoiMeasurement, measure
from bonequant.studies.treatment_response.alignment import to_image
from bonequant.studies.treatment_response.inputs import DateInputs
from bonequant.studies.treatment_response.lesions import ABSENT, DRAWN, Lesion, Outline, family_at
from bonequant.studies.treatment_response.settings import ResponseSettings
from bonequant.studies.treatment_response.sizes import Size
from bonequant.volume import Geometry, Volume, sample_at

ADC, HIGH_B, CT = "adc", "high_b", "ct"
QUANTITIES = ("mean", "max", "peak", "total")


@dataclass(frozen=True, eq=False)
class ImageFindings:
    """``lesions``: (date index, role, tracking id) to measurement; ``references`` likewise for the healthy vertebra;
    ``calls``: (criterion's name, subject, call); ``burden``: (date index, role) to burden of the drawn lesions;
    ``onward``: (date index, role) to the transform of points of the date's anatomy to points of the image."""

    lesions: Mapping[tuple[int, str, str], RoiMeasurement] = field(default_factory=dict)
    references: Mapping[tuple[int, str, str], RoiMeasurement] = field(default_factory=dict)
    burden: Mapping[tuple[int, str], TumourBurden] = field(default_factory=dict)
    skeleton: Mapping[tuple[int, str], SkeletonFraction] = field(default_factory=dict)
    calls: tuple[tuple[str, Call], ...] = ()
    warnings: tuple[str, ...] = ()
    onward: Mapping[tuple[int, str], sitk.Transform | None] = field(default_factory=dict)

    def rows(self, dates: Sequence[DateInputs], lesions: Sequence[Lesion]) -> list[dict[str, Any]]:
        """One row per lesion, image and quantity: the value at every date and its change from the first."""
        rows = []
        roles = list(dict.fromkeys(role for _, role, _ in self.lesions))
        for lesion in lesions:
            for role in roles:
                found = [self.lesions.get((k, role, lesion.tracking_id)) for k in range(len(dates))]
                if not any(found):
                    continue
                unit = next(one.unit for one in found if one is not None)
                for quantity in QUANTITIES:
                    values = [None if one is None else float(getattr(one, quantity)) for one in found]
                    shown = f"{unit} mL".strip() if quantity == "total" else unit
                    row = {"lesion": lesion.label, "image": role, "quantity": quantity, "unit": shown}
                    for k, value in enumerate(values):
                        row[f"value_{k}"] = value  # type: ignore[assignment]
                        if k:
                            row[f"change_percent_{k}"] = percent_change(values[0], value)  # type: ignore[assignment]
                    rows.append(row)
        return rows


def measure_images(
    dates: Sequence[DateInputs],
    anatomies: Sequence[tuple[str, Volume]],
    lesions: Sequence[Lesion],
    references: Mapping[str, tuple[Outline, ...]],
    sizes: Mapping[tuple[str, int], Size],
    settings: ResponseSettings,
    progress: Progress | None = None,
) -> ImageFindings:
    """Every lesion in every image of every date; what lies outside an image is left out with a warning."""
    report = progress or no_progress
    found: dict[tuple[int, str, str], RoiMeasurement] = {}
    healthy: dict[tuple[int, str, str], RoiMeasurement] = {}
    burden: dict[tuple[int, str], TumourBurden] = {}
    skeleton: dict[tuple[int, str], SkeletonFraction] = {}
    typed: list[tuple[str, Call]] = []
    normal: dict[int, NormalBone] = {}
    towards: dict[tuple[int, str], sitk.Transform | None] = {}
    warnings: list[str] = []
    for k, one in enumerate(dates):
        for number, (role, image) in enumerate(one.images.items()):
            report((k + number / len(one.images)) / len(dates), f"Measuring lesions in {role} of {one.name}")
            onward, remarks = to_image(role, image, anatomies[k][1], settings)
            towards[(k, role)] = onward
            warnings += [f"{one.name}, {text}" for text in remarks]
            for lesion in lesions:
                pairs = [(found, lesion.outlines[k])]
                if lesion.tracking_id in references:
                    pairs.append((healthy, references[lesion.tracking_id][k]))
                for table, outline in pairs:
                    measured, remark = _measured(image, outline, onward, lesion.label)
                    if measured is not None:
                        table[(k, role, lesion.tracking_id)] = measured
                    if remark:
                        warnings.append(f"{one.name}, {role}: {remark}")
            if image.modality in ("NM", "PT"):
                drawn = [lesion.tracking_id for lesion in lesions if lesion.outlines[k].origin == DRAWN]
                burden[(k, role)] = tumour_burden(found[(k, role, name)] for name in drawn if (k, role, name) in found)
                if one.skeleton is not None and settings.skeleton_threshold is not None:
                    skeleton[(k, role)] = skeleton_fraction_index(
                        image, one.skeleton, settings.skeleton_threshold, onward
                    )
            if image.unit == "HU":
                calls, bone, said = _types(k, one, image, onward, lesions, normal, settings)
                typed += calls
                warnings += said
                if bone is not None:
                    normal[k] = bone
    patterns = _patterns(dates, lesions, found, healthy, sizes, settings)
    remarked = tuple(dict.fromkeys(warnings))
    return ImageFindings(found, healthy, burden, skeleton, (*typed, *patterns), remarked, towards)


def joined(outline: Outline, onward: sitk.Transform | None) -> sitk.Transform | None:
    """Points of the outline's mask to points of the image."""
    steps = [step for step in (outline.transform, onward) if step is not None]
    return steps[0] if len(steps) == 1 else chain(*steps) if steps else None


def _measured(
    image: Volume, outline: Outline, onward: sitk.Transform | None, label: str
) -> tuple[RoiMeasurement | None, str]:
    if outline.mask is None:
        return None, ""
    try:
        return measure(image, outline.mask, joined(outline, onward), label), ""
    except InputError as error:
        return None, str(error)


def _types(
    k: int,
    one: DateInputs,
    image: Volume,
    onward: sitk.Transform | None,
    lesions: Sequence[Lesion],
    normal: Mapping[int, NormalBone],
    settings: ResponseSettings,
) -> tuple[list[tuple[str, Call]], NormalBone | None, list[str]]:
    """Lytic, blastic or mixed on this CT, against normal trabecular bone drawn at this date."""
    if one.normal_bone is None:
        return (
            [],
            None,
            [f"{one.name}: lesions are not typed on CT: no normal trabecular bone (normal_bone) is drawn."],
        )
    hu = _values(image, Outline(DRAWN, one.normal_bone, k), onward)
    if not len(hu):
        return [], None, [f"{one.name}: normal_bone lies outside the CT; lesions are not typed."]
    bone = NormalBone(float(hu.mean()), float(hu.std()))
    before = normal[min(normal)] if normal else None
    calls = []
    for lesion in lesions:
        if lesion.outlines[k].mask is not None:
            values = _values(image, lesion.outlines[k], onward)
            call = ct_typing(values, bone, normal_before=before, settings=settings.ct_typing)
            calls.append((f"{lesion.label}, {one.name}", call))
    return calls, bone, []


def _values(image: Volume, outline: Outline, onward: sitk.Transform | None) -> np.ndarray:
    assert outline.mask is not None
    voxels = np.argwhere(sitk.GetArrayViewFromImage(outline.mask) >= 0.5)
    points = Geometry.of(outline.mask).points_of(voxels)
    values = sample_at(image.image, points, joined(outline, onward))
    return values[np.isfinite(values)]


def _patterns(
    dates: Sequence[DateInputs],
    lesions: Sequence[Lesion],
    found: Mapping[tuple[int, str, str], RoiMeasurement],
    healthy: Mapping[tuple[int, str, str], RoiMeasurement],
    sizes: Mapping[tuple[str, int], Size],
    settings: ResponseSettings,
) -> list[tuple[str, Call]]:
    """DWI/ADC pattern of every lesion whose ADC is known at the first and at a later date.

    Parts of a lesion that split are judged with it, by the volume of all: to fall apart is no new area.
    """
    calls = []
    for lesion in lesions:
        if lesion.split_from is not None and lesion.outlines[0].origin == ABSENT:
            continue
        for k in range(1, len(dates)):
            family = family_at(lesion, lesions, k)
            pair = [found.get((j, ADC, lesion.tracking_id)) for j in (0, k)]
            if pair[0] is None and pair[1] is None:
                continue
            change = DwiChange(
                volume=_direction([_volume(family, sizes, j) for j in (0, k)], settings.volume_change_percent),
                high_b_signal=_direction(
                    [_ratio(found, healthy, (j, HIGH_B, lesion.tracking_id)) for j in (0, k)],
                    settings.signal_change_percent,
                ),
                adc_before=None if pair[0] is None else pair[0].mean,
                adc_after=None if pair[1] is None else pair[1].mean,
                new_area=lesion.outlines[0].origin == ABSENT,
                date_before=dates[0].scan_date,
                date_after=dates[k].scan_date,
            )
            calls.append((f"{lesion.label}, {dates[k].name}", adc_pattern(change, settings.adc)))
    return calls


def _volume(family: Sequence[Lesion], sizes: Mapping[tuple[str, int], Size], k: int) -> float | None:
    """mL of all that was drawn of them at date ``k``; None where nothing was."""
    known = [size.volume_ml for one in family if (size := sizes[(one.tracking_id, k)]).volume_ml is not None]
    return sum(known) if known else None


def _ratio(
    found: Mapping[tuple[int, str, str], RoiMeasurement],
    healthy: Mapping[tuple[int, str, str], RoiMeasurement],
    key: tuple[int, str, str],
) -> float | None:
    """Signal of MR has no unit: only that of the lesion over the healthy vertebra can be compared between dates."""
    if key not in found or key not in healthy or not healthy[key].mean > 0:
        return None
    return found[key].mean / healthy[key].mean


def _direction(values: Sequence[float | None], least_percent: float) -> str | None:
    """Of two values: "up", "same" or "down"; None where one is missing."""
    change = percent_change(*values)
    if change != change:
        return None
    return "same" if abs(change) <= least_percent else "up" if change > 0 else "down"
