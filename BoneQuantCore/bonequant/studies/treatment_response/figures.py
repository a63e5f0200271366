"""Pictures of the report: maps before and after in one window, and the mean signal-time curves of both dates."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from bonequant.report import Picture, Section
from bonequant.report.curves import fitted_curves
from bonequant.report.map_pictures import map_sections
from bonequant.report.page import Block
from bonequant.roi import propagate
from bonequant.studies.treatment_response.images import ADC, joined
from bonequant.studies.treatment_response.lesions import Outline
from bonequant.studies.treatment_response.result import ResponseResult
from bonequant.studies.treatment_response.uptake import NUCLEAR
from bonequant.volume import Curve, Volume, image_from_array

_SECTIONS = 3
_FIELD_MM = 60.0  # around the lesion and its reference
_MOST_LESIONS = 4
_ABBREVIATIONS = {"pet": "PET", "spect": "SPECT", "adc": "ADC"}
_ORIGINS = {"drawn": "drawn at this date", "carried": "carried here", "proposed": "drawn at this date"}


def map_blocks(result: ResponseResult, parameter: str, name: str, title: str, *, folded: bool = False) -> list[Section]:
    """One parameter at every date on the sections through each lesion, in one window per lesion."""
    blocks: list[Block] = []
    for lesion in result.lesions[:_MOST_LESIONS]:
        window = _window(result, lesion.tracking_id, parameter)
        for k, study in enumerate(result.dce):
            outline = lesion.outlines[k]
            if study is None or parameter not in study.maps or outline.mask is None or window is None:
                continue
            anatomy = study.anatomy
            shapes = {"lesion": _on(anatomy, outline)}
            reference = result.references[lesion.tracking_id][k]
            if reference.mask is not None:
                shapes["healthy vertebra"] = _on(anatomy, reference)
            if not sitk.GetArrayViewFromImage(shapes["lesion"]).any():
                continue
            near = _near(study.maps[parameter], shapes)
            png = map_sections(
                anatomy,
                near,
                window=window,
                outlines=shapes,
                slices=_slices(shapes["lesion"]),
                label=f"{name} {near.unit}".strip(),
            )
            text = f"{lesion.label}, {name}, {result.dates[k].name}: outline {_ORIGINS[outline.origin]}."
            blocks.append(Picture(png, text))
    return [Section(title, blocks, folded=folded)] if blocks else []


def image_blocks(result: ResponseResult) -> list[Section]:
    """SPECT, PET and ADC at every date on the sections through each lesion, in one window per lesion."""
    roles = dict.fromkeys(
        role for one in result.dates for role, image in one.images.items() if image.modality in NUCLEAR or role == ADC
    )
    sections = []
    for role in roles:
        blocks: list[Block] = []
        for lesion in result.lesions[:_MOST_LESIONS]:
            shapes = {
                k: mask
                for k, one in enumerate(result.dates)
                if role in one.images and (mask := _in_image(result, k, role, lesion.outlines[k])) is not None
            }
            images = {k: result.dates[k].images[role] for k in shapes}
            window = _up_to_highest([(images[k], mask) for k, mask in shapes.items()])
            for k, mask in shapes.items() if window is not None else ():
                near = _near(images[k], {"lesion": mask})
                png = map_sections(
                    images[k],
                    near,
                    window=window,
                    outlines={"lesion": mask},
                    slices=_slices(mask),
                    label=f"{role} {near.unit}".strip(),
                )
                text = f"{lesion.label}, {role}, {result.dates[k].name}: outline {_ORIGINS[lesion.outlines[k].origin]}."
                blocks.append(Picture(png, text))
        if blocks:
            sections.append(Section(f"{_ABBREVIATIONS.get(role, role)} before and after, in one window", blocks))
    return sections


def _in_image(result: ResponseResult, k: int, role: str, outline: Outline) -> sitk.Image | None:
    """The outline on the grid of an image of its date; None where nothing of it is there."""
    if outline.mask is None:
        return None
    image = result.dates[k].images[role]
    mask = propagate(outline.mask, image, joined(outline, result.images.onward.get((k, role)))) >= 0.5
    return mask if sitk.GetArrayViewFromImage(mask).any() else None


def _up_to_highest(shown: list[tuple[Volume, sitk.Image]]) -> tuple[float, float] | None:
    """From zero to the highest 95th percentile over any of the masks; None where nothing is above zero."""
    highest = []
    for volume, mask in shown:
        values = volume.array[sitk.GetArrayViewFromImage(mask) > 0]
        values = values[np.isfinite(values)]
        if len(values):
            highest.append(float(np.percentile(values, 95)))
    return (0.0, max(highest)) if highest and max(highest) > 0 else None


def curve_blocks(result: ResponseResult) -> list[Section]:
    """Mean signal relative to the baseline, and concentration with the fitted lines, of all dates in one plot."""
    blocks: list[Block] = []
    for lesion in result.lesions[:_MOST_LESIONS]:
        signals: dict[str, Curve] = {}
        measured: dict[str, Curve] = {}
        lines: dict[str, Curve] = {}
        unit = ""
        for k, study in enumerate(result.dce):
            key = (lesion.tracking_id, k)
            for what, table in (("lesion", result.perfusion), ("healthy vertebra", result.reference_perfusion)):
                found = table.get(key)
                if study is None or found is None or found.signal is None or found.concentration is None:
                    continue
                name = f"{what}, {result.dates[k].name}"
                signals[name] = relative(found.signal, study.facts.baseline_frames)
                measured[name], unit = found.concentration, study.facts.unit
                if found.fitted is not None:
                    lines[name] = found.fitted
        if not signals:
            continue
        blocks.append(
            Picture(
                fitted_curves(signals, label="signal over baseline"),
                f"{lesion.label}: mean signal-time curves, over the mean of the frames before contrast.",
            )
        )
        blocks.append(
            Picture(
                fitted_curves(measured, lines, label=f"concentration ({unit})" if unit else "relative enhancement"),
                f"{lesion.label}: what was fitted (points) and the model's curves (lines).",
            )
        )
    return [Section("Curves before and after", blocks)] if blocks else []


def relative(signal: Curve, baseline: int) -> Curve:
    """Signal over the mean of its first ``baseline`` frames; that of the two dates compares, raw signal does not."""
    level = float(signal.values[:baseline].mean())
    return Curve(signal.times_s, signal.values / level if level > 0 else signal.values * np.nan, "", signal.name)


def _window(result: ResponseResult, tracking_id: str, parameter: str) -> tuple[float, float] | None:
    """From zero to the highest 95th percentile over the lesion at any date."""
    lesion = next(one for one in result.lesions if one.tracking_id == tracking_id)
    return _up_to_highest(
        [
            (study.maps[parameter], _on(study.anatomy, outline))
            for study, outline in zip(result.dce, lesion.outlines, strict=True)
            if study is not None and parameter in study.maps and outline.mask is not None
        ]
    )


def _on(anatomy: Volume, outline: Outline) -> sitk.Image:
    """The outline on the grid of a date's series, for the eye."""
    assert outline.mask is not None
    return propagate(outline.mask, anatomy, outline.transform) >= 0.5


def _slices(mask: sitk.Image) -> list[int]:
    """The slices that hold most of the lesion, in their order."""
    voxels = sitk.GetArrayViewFromImage(mask).reshape(mask.GetSize()[2], -1).sum(axis=1)
    filled = np.flatnonzero(voxels)
    best = filled[np.argsort(-voxels[filled], kind="stable")][:_SECTIONS]
    return [int(z) for z in np.sort(best)]


def _near(values: Volume, shapes: dict[str, sitk.Image]) -> Volume:
    """The map around the regions alone, so that the picture is cut to them."""
    near = np.zeros(values.array.shape, bool)
    grid = values.geometry
    for mask in shapes.values():
        filled = np.argwhere(sitk.GetArrayViewFromImage(mask) > 0)
        if not len(filled):
            continue
        reach = np.ceil(_FIELD_MM / 2.0 / np.array(grid.spacing[::-1])).astype(int)
        low, high = np.maximum(filled.min(axis=0) - reach, 0), filled.max(axis=0) + reach + 1
        near[:, low[1] : high[1], low[2] : high[2]] = True
    cut = np.where(near, values.array, np.nan).astype(np.float32)
    return values.replace(image=image_from_array(cut, grid))
