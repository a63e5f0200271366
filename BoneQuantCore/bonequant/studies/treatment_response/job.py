"""The response job: check, maps of every date, align, follow the lesions, measure, call; data flow one way."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from bonequant.errors import InputError, MissingFactError, SettingsError
from bonequant.progress import Progress, no_progress, part_of
from bonequant.provenance import Provenance, hash_image
from bonequant.response import Call, DceScan, calls_of, dce_vp, patient_level
from bonequant.response.match_lesions import NEW
from bonequant.studies import dce_perfusion
from bonequant.studies.dce_perfusion import DceResult
from bonequant.studies.treatment_response.alignment import align, anatomy_of
from bonequant.studies.treatment_response.images import measure_images
from bonequant.studies.treatment_response.inputs import DateInputs, ResponseInputs, check
from bonequant.studies.treatment_response.lesions import (
    ABSENT,
    CARRIED,
    Lesion,
    follow,
    names_that_do_not_match,
    said_of_families,
    seen_in,
)
from bonequant.studies.treatment_response.perfusion import Perfusion, perfusion_of, regions_at
from bonequant.studies.treatment_response.protocol import contrast_agent, differences, protocol_text
from bonequant.studies.treatment_response.references import References, find_references
from bonequant.studies.treatment_response.result import Key, ResponseResult
from bonequant.studies.treatment_response.settings import ResponseSettings
from bonequant.studies.treatment_response.sizes import Size, size_of
from bonequant.studies.treatment_response.table import lesion_rows
from bonequant.studies.treatment_response.uptake import as_suv


def run(
    inputs: ResponseInputs, settings: ResponseSettings | None = None, progress: Progress | None = None
) -> ResponseResult:
    """Compare the dates.

    Args:
        inputs: the oldest date first.
        progress: ``progress(fraction, message)``; may raise Cancelled.

    Returns:
        Calls of every criterion for which there is evidence; "NE" with the reason where a number is missing.

    Raises InputError, MissingFactError, ConfirmationRequired, RegistrationError or SettingsError, with the way out in
    the message.
    """
    settings, report = ResponseSettings.of(settings), progress or no_progress
    report(0.0, "Checking the dates")
    if settings.dce.maps_of != "body":
        raise SettingsError("dce.maps_of must be body: lesions are carried from one date to the other.")
    warnings = list(check(inputs))
    given = inputs
    inputs, said = as_suv(inputs, settings)
    warnings += said
    judged = [(subject, call) for (subject, _), call in calls_of(list(inputs.evidence)).items()]
    dates = inputs.dates
    for one in dates:
        _check_facts(one, settings)
    anatomies = tuple(anatomy_of(one) for one in dates)
    alignment = align(dates, anatomies, settings, part_of(report, 0.02, 0.2))
    warnings += alignment.warnings
    lesions = follow(inputs, alignment, settings)
    warnings += [*names_that_do_not_match(lesions, dates), *said_of_families(lesions, dates)]
    references = find_references(dates, lesions, anatomies, alignment, settings)
    dce = _maps(dates, lesions, references, settings, part_of(report, 0.2, 0.8))
    if any(result is not None for result in dce):
        warnings += references.warnings
    for one, study in zip(dates, dce, strict=True):
        warnings += [f"{one.name}: {text}" for text in (study.warnings if study is not None else ())]
    warnings += differences(dates, dce)

    report(0.8, "Measuring lesions")
    perfusion, healthy = _perfusion(lesions, references, dce)
    sizes = {
        (lesion.tracking_id, k): size_of(lesion, k, one, settings) for lesion in lesions for k, one in enumerate(dates)
    }
    images = measure_images(
        dates, anatomies, lesions, references.outlines, sizes, settings, part_of(report, 0.85, 0.98)
    )
    warnings += images.warnings
    warnings += _outlines_said(dates, lesions, perfusion)
    vp_calls = _vp_calls(inputs, lesions, perfusion, healthy, sizes, dce, settings)
    result = ResponseResult(
        settings=settings,
        inputs=inputs,
        anatomies=anatomies,
        alignment=alignment,
        dce=dce,
        lesions=lesions,
        references=references.outlines,
        proposals=references.proposals,
        perfusion=perfusion,
        reference_perfusion=healthy,
        sizes=sizes,
        vp_calls=vp_calls,
        patient_calls={k: patient_level(calls, new=_new(lesions, dce)) for k, calls in vp_calls.items()},
        images=images,
        other_calls=(*images.calls, *judged),
        rows=lesion_rows(dates, lesions, perfusion, healthy, sizes, vp_calls, settings),
        provenance=_provenance(given, settings),
        warnings=tuple(dict.fromkeys(warnings)),
    )
    report(1.0, "Compared")
    return result


def _maps(
    dates: Any, lesions: tuple[Lesion, ...], references: References, settings: ResponseSettings, progress: Progress
) -> tuple[DceResult | None, ...]:
    """The DCE job of every date. Lesions and healthy vertebrae are its regions: they decide the delay, not muscle."""
    found: list[DceResult | None] = []
    for k, one in enumerate(dates):
        if one.dce is None:
            found.append(None)
            continue
        outlines = {lesion.tracking_id: lesion.outlines[k] for lesion in lesions}
        healthy = {f"{name} reference": several[k] for name, several in references.outlines.items()}
        regions = regions_at(one.dce.series.geometry, outlines | healthy)
        span = part_of(progress, k / len(dates), (k + 1) / len(dates))
        found.append(dce_perfusion.run(dataclasses.replace(one.dce, masks=regions), settings.dce, span))
    made = [result for result in found if result is not None]
    for first, second in itertools.pairwise(made):
        if (first.facts.quantity, first.facts.unit) != (second.facts.quantity, second.facts.unit):
            raise InputError(
                f"{first.name} was fitted as {first.facts.quantity} in {first.facts.unit or 'no unit'}, {second.name} "
                f"as {second.facts.quantity} in {second.facts.unit or 'no unit'}: these do not compare."
            )
    return tuple(found)


def _check_facts(one: DateInputs, settings: ResponseSettings) -> None:
    """Raise where a DCE series lacks a fact, before the dates are aligned."""
    if one.dce is None:
        return
    try:
        dce_perfusion.known_facts(one.dce, settings.dce)
    except MissingFactError as error:
        raise MissingFactError(f"{one.name}: {_way_out_here(str(error))}", error.fact) from error


def _way_out_here(text: str) -> str:
    """The DCE job names its own options; here its settings lie under ``dce`` and T1 comes with the date."""
    here = text.replace("--set ", "--set dce.")
    return here.replace("(--t1-series)", "(folder T1 of the date)").replace("(--t1-map)", "(file T1_map of the date)")


def _perfusion(
    lesions: tuple[Lesion, ...], references: References, dce: tuple[DceResult | None, ...]
) -> tuple[dict[Key, Perfusion], dict[Key, Perfusion]]:
    """Of every lesion, and of its healthy vertebra, at every date with a DCE study."""
    found: dict[Key, Perfusion] = {}
    healthy: dict[Key, Perfusion] = {}
    for k, result in enumerate(dce):
        if result is None:
            continue
        for lesion in lesions:
            key = (lesion.tracking_id, k)
            found[key] = perfusion_of(result, lesion.outlines[k], lesion.tracking_id)
            healthy[key] = perfusion_of(result, references.outlines[lesion.tracking_id][k], "reference")
    return found, healthy


def _vp_calls(
    inputs: ResponseInputs,
    lesions: tuple[Lesion, ...],
    perfusion: Mapping[Key, Perfusion],
    healthy: Mapping[Key, Perfusion],
    sizes: Mapping[Key, Size],
    dce: tuple[DceResult | None, ...],
    settings: ResponseSettings,
) -> dict[int, dict[str, Call]]:
    """Every later date with DCE against the first date with DCE; a lesion has no call before it appears."""
    known = [k for k, result in enumerate(dce) if result is not None]
    calls: dict[int, dict[str, Call]] = {}
    for k in known[1:]:
        there = [lesion for lesion in lesions if any(lesion.outlines[j].origin != ABSENT for j in (known[0], k))]
        if not there:
            continue
        calls[k] = {}
        for lesion in there:
            whole = seen_in(lesion, lesions, known[0])
            pair = ((whole, known[0]), (lesion, k))
            scans = [
                _scan(inputs, one, j, perfusion, healthy, sizes, dce[j], settings)  # type: ignore[arg-type]
                for one, j in pair
            ]
            if whole is not lesion:  # the size of the whole is not that of the part
                scans[0] = dataclasses.replace(scans[0], diameters_mm=None, extra_osseous_mm=None)
            call = dce_vp(scans[0], scans[1], inputs.radiotherapy, settings.dce_vp)
            reasons = [
                f"{inputs.dates[j].name}, {what}: {table[(one.tracking_id, j)].reason}."
                for one, j in pair
                for what, table in (("lesion", perfusion), ("reference vertebra", healthy))
                if table[(one.tracking_id, j)].reason
            ]
            calls[k][lesion.tracking_id] = dataclasses.replace(call, warnings=(*reasons, *call.warnings))
    return calls


def _new(lesions: tuple[Lesion, ...], dce: tuple[DceResult | None, ...]) -> list[str]:
    """Tracking ids of the lesions that appeared after the first DCE study, parts of a split one not among them."""
    first = next((k for k, result in enumerate(dce) if result is not None), 0)
    return [one.tracking_id for one in lesions if one.outlines[first].origin == ABSENT and NEW in one.states]


def _scan(
    inputs: ResponseInputs,
    lesion: Lesion,
    k: int,
    perfusion: Mapping[Key, Perfusion],
    healthy: Mapping[Key, Perfusion],
    sizes: Mapping[Key, Size],
    result: DceResult,
    settings: ResponseSettings,
) -> DceScan:
    key, way = (lesion.tracking_id, k), settings.vp_of
    size = sizes[key]
    return DceScan(
        vp=perfusion[key].value("vp", way),
        vp_reference=healthy[key].value("vp", way),
        ktrans=perfusion[key].value("ktrans", way),
        ktrans_reference=healthy[key].value("ktrans", way),
        diameters_mm=None if size.diameters is None else size.diameters.diameters_mm,
        extra_osseous_mm=size.extra_osseous_mm,
        scan_date=inputs.dates[k].scan_date,
        contrast_agent=contrast_agent(result),
        protocol=protocol_text(result),
        reference_in_field=inputs.reference_in_field,
        fracture=inputs.fracture,
    )


def _outlines_said(dates: Any, lesions: tuple[Lesion, ...], perfusion: Mapping[Key, Perfusion]) -> list[str]:
    found = []
    for lesion in lesions:
        carried = [dates[k].name for k, outline in enumerate(lesion.outlines) if outline.origin == CARRIED]
        if carried:
            found.append(
                f"{lesion.label} was not drawn at {', '.join(carried)}: its outline was carried there, so its size is "
                "not known then. Draw it there to measure size, and to correct the outline."
            )
        for k, state in enumerate(lesion.states):
            if state == "gone":
                found.append(
                    f"{lesion.label} is missing among the lesions drawn at {dates[k].name}: gone, or forgotten?"
                )
            key = (lesion.tracking_id, k)
            if key in perfusion and perfusion[key].missing > 0.1:
                share = perfusion[key].missing
                found.append(f"{lesion.label}, {dates[k].name}: {share:.0%} of it has no fitted voxel and is left out.")
    return found


def _provenance(inputs: ResponseInputs, settings: ResponseSettings) -> Provenance:
    hashes: dict[str, str] = {}
    for one in inputs.dates:
        hashes |= {f"{one.name}, {role}": digest for role, digest in _hashes(one).items()}
        regions = {
            **one.lesions,
            **{f"{name} reference".strip(): mask for name, mask in one.references.items()},
            **{f"{name} extra-osseous": mask for name, mask in one.extra_osseous.items()},
        }
        for name, mask in (("normal bone", one.normal_bone), ("skeleton", one.skeleton)):
            if mask is not None:
                regions[name] = mask
        hashes |= {f"{one.name}, mask {name}": hash_image(mask) for name, mask in regions.items()}
    return Provenance("treatment_response", hashes, settings.to_dict())


def _hashes(one: DateInputs) -> dict[str, str]:
    made = {role: volume.sha256 or hash_image(volume.image) for role, volume in one.images.items()}
    if one.dce is not None:
        series = one.dce.series
        made["dce"] = series.sha256 or hashlib.sha256(np.ascontiguousarray(series.frames).data).hexdigest()
        if one.dce.t1_map is not None:
            made["T1 map"] = one.dce.t1_map.sha256 or hash_image(one.dce.t1_map.image)
        for i, volume in enumerate(one.dce.t1_volumes, 1):
            made[f"T1 volume {i}"] = volume.sha256 or hash_image(volume.image)
    return made
