"""The liver job: check, align the frames, find the regions, measure curves, fit, map, compare; data flow one way."""

from __future__ import annotations

import hashlib

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.kinetics import (
    MAX_SLOPE_UNITS,
    correct_motion,
    curve_maps,
    find_aif,
    fit_maps,
    preprocess,
    to_enhancement,
)
from bonequant.progress import Progress, no_progress, part_of
from bonequant.provenance import Provenance, hash_image
from bonequant.roi.region import Region
from bonequant.studies.liver_perfusion.inputs import LiverInputs, check
from bonequant.studies.liver_perfusion.maa import compare_with_maa, uptake_of
from bonequant.studies.liver_perfusion.measured import (
    Reading,
    input_rows,
    measure_regions,
    remarks_on,
    remarks_on_maps,
)
from bonequant.studies.liver_perfusion.readers import ReaderComparison, compare_readers
from bonequant.studies.liver_perfusion.regions import (
    AORTA,
    LIVER,
    PORTAL,
    SPLEEN,
    Regions,
    find_roles,
    first_reader_s,
    on_grid,
    role_of,
)
from bonequant.studies.liver_perfusion.result import LiverResult, MotionReport
from bonequant.studies.liver_perfusion.settings import LiverSettings
from bonequant.studies.liver_perfusion.table import voxel_rows
from bonequant.studies.liver_perfusion.tissue import QUANTITIES, delayed_inputs, max_slope
from bonequant.volume import DynamicSeries, Volume, image_from_array

_POINTS = 2000  # of a region, enough for the mean of a displacement


def run(inputs: LiverInputs, settings: LiverSettings | None = None, progress: Progress | None = None) -> LiverResult:
    """Measure one perfusion CT.

    Raises InputError, ConfirmationRequired or RegistrationError, with the way out in the message.
    """
    settings, report = LiverSettings.of(settings), progress or no_progress
    warnings = [*inputs.series.warnings, *check(inputs)]
    regions = find_roles(inputs.masks)  # before the long work
    theirs = find_roles({**first_reader_s(inputs.masks, inputs.second), **inputs.second}) if inputs.second else None
    if regions.left_aside:
        warnings.append(f"Regions without a role here were left aside: {', '.join(regions.left_aside)}.")

    series, motion, remarks = _aligned(inputs.series, regions, settings, part_of(report, 0.0, 0.4))
    warnings = [*remarks, *warnings]  # first: regions beside the organs spoil every number
    anatomy = _mean_image(series)
    found = None
    if AORTA not in regions.inputs:
        found = find_aif(series, settings.aif, progress=part_of(report, 0.4, 0.45))
        warnings += [f"The aorta was found by itself, quality {found.quality:.2f}: see its picture.", *found.warnings]
    reading = measure_regions(series, regions, found.mask if found else None, settings, part_of(report, 0.45, 0.55))
    warnings += remarks_on(reading, settings)

    steps, maps, remarks = _maps(series, reading, settings, part_of(report, 0.55, 0.8))
    of_voxels = voxel_rows(reading.regions.tissue, maps)
    warnings += [*remarks, *remarks_on_maps(reading.rows, of_voxels)]
    readers = None
    if theirs is not None:
        readers, remarks = _second_reader(series, inputs, theirs, reading, settings, part_of(report, 0.8, 0.85))
        warnings += remarks
    uptake = comparison = None
    if inputs.maa is not None:
        uptake = uptake_of(
            inputs.maa, reading.regions.tissue, anatomy, settings.registration, part_of(report, 0.85, 0.98)
        )
        comparison = compare_with_maa(reading.rows, uptake.ratios)
        warnings += [*uptake.warnings, *comparison.warnings]
    result = LiverResult(
        name=inputs.name,
        settings=settings,
        acquisition=inputs.series.acquisition,
        times_s=series.times_s,
        anatomy=anatomy,
        motion=motion,
        masks=reading.masks,
        origins={name: "found" if name == AORTA and found is not None else "drawn" for name in reading.masks},
        baseline_frames=reading.baseline,
        curves=reading.curves,
        enhancement=reading.enhancement,
        inputs=reading.inputs,
        found_aorta=found,
        fits=reading.fits,
        delays_s=reading.delays_s,
        rows=reading.rows,
        voxel_rows=of_voxels,
        input_rows=input_rows(reading),
        maps=maps,
        steps=steps,
        provenance=_provenance(inputs, settings),
        maa=comparison,
        maa_uptake=uptake,
        readers=readers,
        warnings=tuple(dict.fromkeys(warnings)),
    )
    report(1.0, "Measured")
    return result


def _aligned(
    series: DynamicSeries, regions: Regions, settings: LiverSettings, progress: Progress
) -> tuple[DynamicSeries, MotionReport | None, list[str]]:
    count = len(series.times_s)
    if settings.mask_frame is not None and settings.mask_frame > count:
        raise InputError(f"mask_frame is {settings.mask_frame}; the series has {count} frames.")
    if not settings.correct_motion:
        return series, None, ["The frames were not corrected for motion: breathing mixes liver, lung and vessels."]
    reference = None if settings.mask_frame is None else settings.mask_frame - 1
    found = correct_motion(series, settings.motion, None, progress, reference=reference)
    report = MotionReport(tuple(found.table()), found.reference, found.difference, found.transforms)
    remarks = [text for text in found.series.warnings if text not in series.warnings]
    if reference is None:
        text = f"All frames were brought to frame {found.reference + 1}: the regions count as drawn on it. "
        if found.reference == 0:
            text += "If they were drawn on another one, give its number: --set mask_frame=N."
        else:
            apart = _apart_mm(regions.whole[LIVER], found.transforms[0], found.transforms[found.reference])
            text += (
                f"In frame 1 the liver lies {apart:.1f} mm from there: if they were drawn on frame 1, give "
                "--set mask_frame=1, if on another one, its number."
            )
        remarks.insert(0, text)
    return found.series, report, remarks


def _apart_mm(mask: sitk.Image, first: sitk.Transform, second: sitk.Transform) -> float:
    """Mean distance over a region between where two frames show its points."""
    region = Region.of(mask)
    places = region.xyz()[:: max(1, len(region.index) // _POINTS), ::-1]
    points = region.geometry.points_of(places).tolist()
    apart = np.subtract([first.TransformPoint(p) for p in points], [second.TransformPoint(p) for p in points])
    return float(np.linalg.norm(apart, axis=1).mean())


def _mean_image(series: DynamicSeries) -> Volume:
    """Mean over the frames of what each shows; the first frame's value where none does."""
    total, count = np.zeros(series.geometry.shape), np.zeros(series.geometry.shape, np.int32)
    for frame in series.frames:
        finite = np.isfinite(frame)
        total[finite] += frame[finite]
        count += finite
    mean = np.where(count > 0, total / np.maximum(count, 1), -1024.0).astype(np.float32)
    image = image_from_array(mean, series.geometry)
    return Volume(image, "CT", "HU", series.acquisition, name="Perfusion CT, mean of the frames")


def _maps(
    series: DynamicSeries, reading: Reading, settings: LiverSettings, progress: Progress
) -> tuple[tuple[str, ...], dict[str, Volume], list[str]]:
    """Maps of liver and lesions by both methods, one arterial delay (the liver's) for all voxels."""
    prepared = preprocess(series, settings.preprocess, part_of(progress, 0.0, 0.3))
    enhancement = to_enhancement(prepared.series, reading.baseline)
    where = on_grid(reading.regions.whole, series.geometry)
    if not sitk.GetArrayViewFromImage(where).any():
        raise InputError("The liver has no voxel centre of the perfusion CT; is its region right?")
    slopes = curve_maps(
        enhancement,
        lambda curves: max_slope(reading.inputs, curves, settings),
        MAX_SLOPE_UNITS,
        where,
        part_of(progress, 0.3, 0.5),
    )
    aorta, portal = delayed_inputs(reading.inputs, reading.delays_s[LIVER], settings)
    fitted = fit_maps(
        enhancement,
        aorta,
        "dual_input_liver",
        where,
        settings.kinetics,
        part_of(progress, 0.5, 1.0),
        portal=portal,
    )
    maps = {f"{name}_max_slope": slopes[name] for name in QUANTITIES}
    maps |= {f"{name}_dual_input": fitted[name] for name in QUANTITIES}
    maps |= {name: fitted[name] for name in ("k2", "dv", "mtt_s", "r2", "at_bound")}
    maps = {name: volume.replace(name=name) for name, volume in maps.items()}
    remarks = [text for text in (*slopes["alp"].warnings, *fitted["alp"].warnings) if text not in series.warnings]
    return prepared.steps, maps, [f"Maps: {text}" for text in remarks]


def _second_reader(
    series: DynamicSeries,
    inputs: LiverInputs,
    regions: Regions,
    first: Reading,
    settings: LiverSettings,
    progress: Progress,
) -> tuple[ReaderComparison, list[str]]:
    """The second reader's regions on the same frames; vessels and spleen he did not draw are the first reader's."""
    aorta = None if AORTA in regions.inputs else first.masks[AORTA]
    reading = measure_regions(series, regions, aorta, settings, progress)
    drawn = {role_of(name) for name in inputs.second}
    comparison = compare_readers(first.rows, [row for row in reading.rows if row["region"] in drawn])
    shared = [name for name in (AORTA, PORTAL, SPLEEN, LIVER) if name not in drawn]
    remarks = [f"not drawn by the second reader, taken from the first: {', '.join(shared)}."] if shared else []
    return comparison, [f"Two readers: {text}" for text in (*remarks, *comparison.warnings)]


def _provenance(inputs: LiverInputs, settings: LiverSettings) -> Provenance:
    series = inputs.series
    own = series.sha256 or hashlib.sha256(np.ascontiguousarray(series.frames).data).hexdigest()
    hashes = {"perfusion CT": own}
    for role, masks in (("mask", inputs.masks), ("second reader's mask", inputs.second)):
        hashes |= {f"{role} {name}": hash_image(mask) for name, mask in masks.items()}
    if inputs.maa is not None:
        images = {"MAA SPECT": inputs.maa.spect, "CT of the MAA": inputs.maa.ct}
        hashes |= {role: v.sha256 or hash_image(v.image) for role, v in images.items() if v is not None}
        hashes |= {f"mask {name} on the MAA SPECT": hash_image(mask) for name, mask in inputs.maa.masks.items()}
        if inputs.maa.transform is not None:
            hashes["transform of the MAA"] = hashlib.sha256(str(inputs.maa.transform).encode()).hexdigest()
    return Provenance("liver_perfusion", hashes, settings.to_dict())
