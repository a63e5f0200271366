"""The marrow job: check, quantify, align, find regions, measure, judge; data flow one way."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress, part_of
from bonequant.provenance import Provenance, hash_image
from bonequant.registration import RegistrationResult, chain, register
from bonequant.roi import RoiMeasurement, measure_many
from bonequant.spect import ProtocolRecord, check_protocol, load_standard
from bonequant.studies.marrow_perfusion import maa, plausibility
from bonequant.studies.marrow_perfusion.gold_standard import agreement_with
from bonequant.studies.marrow_perfusion.inputs import MarrowInputs, check, facts_of
from bonequant.studies.marrow_perfusion.maps import parametric_maps
from bonequant.studies.marrow_perfusion.partial_volume import corrected_means
from bonequant.studies.marrow_perfusion.quantify import quantify
from bonequant.studies.marrow_perfusion.regions import DRAWN, Regions, find_regions
from bonequant.studies.marrow_perfusion.result import MarrowResult
from bonequant.studies.marrow_perfusion.samples import samples_of
from bonequant.studies.marrow_perfusion.settings import MarrowSettings
from bonequant.studies.marrow_perfusion.table import REFERENCES, lesion_rows, region_rows
from bonequant.volume import Volume, is_linear

_STANDARD_OF = {"colloid": "marrow_colloid_spect_ct", "maa": "liver_maa_spect_ct"}
_SHOWN_AS_HISTOGRAM = ("marrow", "red_marrow", "spine", "pelvis", "liver", "blood_pool")


def run(
    inputs: MarrowInputs,
    settings: MarrowSettings | None = None,
    progress: Progress | None = None,
    *,
    gold_standard: Mapping[str, float] | None = None,
    registration: RegistrationResult | None = None,
    regions: Regions | None = None,
) -> MarrowResult:
    """Measure one date.

    Args:
        registration, regions: what :func:`align` and :func:`find` returned for the same inputs and settings; found anew
            where they are not given, with the same result.
        gold_standard: known mean uptake by region, in the unit of the result; agreement is stated with it.
        progress: ``progress(fraction, message)``; may raise Cancelled.

    Raises InputError, MissingFactError, ConfirmationRequired or RegistrationError, with the way out in the message.
    """
    settings, report = MarrowSettings.of(settings), progress or no_progress
    warnings = [*inputs.functional.warnings, *(inputs.ct.warnings if inputs.ct else ()), *check(inputs)]

    report(0.0, "Quantifying")
    quantified = quantify(inputs.functional, settings)
    functional = quantified.volume
    warnings += [*quantified.warnings, *plausibility.tracer_warnings(functional.acquisition, settings.tracer)]

    if registration is None:
        registration = _align(inputs, functional, settings, part_of(report, 0.05, 0.45))
    transform = inputs.transform
    if registration is not None:
        transform = registration.transform
        warnings += registration.warnings

    if regions is None:
        regions = find_regions(inputs, functional, transform, settings, part_of(report, 0.45, 0.75))
    warnings += regions.warnings

    back = None
    if regions.on_functional:
        back = registration.inverse if registration is not None else _inverse(transform)
    uptake, hu = _measure(functional, inputs.ct, transform, back, regions, part_of(report, 0.75, 0.85))
    corrected: dict[str, float] = {}
    if settings.partial_volume == "gtm":
        corrected, remarks = corrected_means(
            functional,
            transform,
            regions.on_ct,
            regions.vertebrae,
            regions.lesion_names,
            inputs.masks_on_ct,
            settings,
            part_of(report, 0.85, 0.95),
        )
        warnings += remarks
    report(0.95, "Tables and maps")
    references = list(dict.fromkeys([settings.reference, *REFERENCES]))
    if settings.reference not in uptake:
        warnings.append(
            f"The reference region {settings.reference} is not there: ratios to it are not given. "
            "Draw it, or choose another with --set reference=name."
        )
    judged = plausibility.judge(uptake, list(regions.vertebrae), settings.tracer)
    maa_result = maa.evaluate(uptake, settings.maa) if settings.tracer == "maa" else None
    if maa_result is not None:
        warnings += maa_result.warnings
    result = MarrowResult(
        name=inputs.name,
        settings=settings,
        functional=functional,
        ct=inputs.ct,
        transform=transform,
        registration=registration,
        factors=quantified.factors,
        masks_on_ct=regions.on_ct,
        masks_on_functional=regions.on_functional,
        origins=regions.origins,
        uptake=uptake,
        hu=hu,
        corrected=corrected,
        rows=region_rows(uptake, hu, regions.origins, references, "marrow", corrected),
        vertebrae=regions.vertebrae,
        lesions=regions.lesions,
        lesion_rows=lesion_rows(regions.lesions, uptake, corrected),
        samples=samples_of(functional, transform, regions, _SHOWN_AS_HISTOGRAM),
        maps=parametric_maps(functional, uptake.get(settings.reference)),
        plausibility=judged,
        protocol=_protocol(functional, inputs.ct, settings),
        provenance=_provenance(inputs, settings),
        maa=maa_result,
        agreement=agreement_with(gold_standard, uptake) if gold_standard else None,
        warnings=tuple(dict.fromkeys(warnings)),
    )
    report(1.0, "Measured")
    return result


def run_later(
    first: MarrowResult,
    inputs: MarrowInputs,
    settings: MarrowSettings | None = None,
    progress: Progress | None = None,
) -> MarrowResult:
    """Measure a later date; the first date's drawn regions and lesions are carried to it by registering both CTs.

    The carried masks stay on the first date's grid; only the transform from there to the later images is composed.
    """
    report = progress or no_progress
    with facts_of(inputs.name):
        later = run(inputs, settings, part_of(report, 0.0, 0.7))
    lesions = {lesion.name for lesion in first.lesions}
    carried = {
        name: mask for name, mask in first.masks_on_ct.items() if name in lesions or first.origins[name] == DRAWN
    }
    if first.ct is None or later.ct is None or not carried:
        return later
    between = register(later.ct, first.ct, first.settings.registration, part_of(report, 0.7, 0.95)).transform
    onward = between if later.transform is None else chain(between, later.transform)
    uptake = measure_many(later.functional, carried, onward)
    hu = measure_many(later.ct, carried, between)
    return later.with_carried(uptake, hu)


def align(
    inputs: MarrowInputs, settings: MarrowSettings | None = None, progress: Progress | None = None
) -> RegistrationResult | None:
    """The job's registration by itself, to be looked at before the rest; None where nothing is to be registered.

    Raises as :func:`run`.
    """
    settings, report = MarrowSettings.of(settings), progress or no_progress
    check(inputs)
    report(0.0, "Quantifying")
    return _align(inputs, quantify(inputs.functional, settings).volume, settings, part_of(report, 0.05, 1.0))


def find(
    inputs: MarrowInputs,
    settings: MarrowSettings | None = None,
    registration: RegistrationResult | None = None,
    progress: Progress | None = None,
) -> Regions:
    """The job's regions by themselves, to be looked at and edited; ``registration`` as from :func:`align`.

    Raises as :func:`run`.
    """
    settings, report = MarrowSettings.of(settings), progress or no_progress
    check(inputs)
    report(0.0, "Quantifying")
    functional = quantify(inputs.functional, settings).volume
    transform = inputs.transform if registration is None else registration.transform
    return find_regions(inputs, functional, transform, settings, part_of(report, 0.05, 1.0))


def _align(
    inputs: MarrowInputs, functional: Volume, settings: MarrowSettings, progress: Progress
) -> RegistrationResult | None:
    """None where there is no CT, or the alignment is given or the scanner's."""
    if inputs.ct is None or inputs.transform is not None or settings.alignment == "scanner":
        return None
    progress(0.0, "Registering")
    return register(functional, inputs.ct, settings.registration, progress)


def _inverse(transform: sitk.Transform | None) -> sitk.Transform | None:
    """Points of the functional image to points of the CT, for an alignment that the user gave."""
    if transform is None:
        return None
    if not is_linear(transform):
        raise InputError("A deformable alignment given by hand has no inverse here; draw the regions on the CT.")
    return transform.GetInverse()


def _measure(
    functional: Volume,
    ct: Volume | None,
    transform: sitk.Transform | None,
    back: sitk.Transform | None,
    regions: Regions,
    progress: Progress,
) -> tuple[dict[str, RoiMeasurement], dict[str, RoiMeasurement]]:
    """Uptake and HU of every region, each on the grid on which it was drawn; ``back`` inverts ``transform``."""
    uptake: dict[str, RoiMeasurement] = {}
    hu: dict[str, RoiMeasurement] = {}
    if regions.on_ct:
        uptake |= measure_many(functional, regions.on_ct, transform, part_of(progress, 0.0, 0.6))
        assert ct is not None  # a mask on the CT needs one; checked with the inputs
        hu |= measure_many(ct, regions.on_ct, None, part_of(progress, 0.6, 0.8))
    if regions.on_functional:
        uptake |= measure_many(functional, regions.on_functional, None, part_of(progress, 0.8, 0.9))
        if ct is not None:
            hu |= measure_many(ct, regions.on_functional, back, part_of(progress, 0.9, 1.0))
    return uptake, hu


def _protocol(functional: Volume, ct: Volume | None, settings: MarrowSettings) -> ProtocolRecord:
    name = settings.protocol or _STANDARD_OF.get(settings.tracer, "marrow_spect_ct")
    acquisitions = {"spect": functional.acquisition}
    if ct is not None:
        acquisitions["ct"] = ct.acquisition
    return check_protocol(acquisitions, load_standard(name))


def _provenance(inputs: MarrowInputs, settings: MarrowSettings) -> Provenance:
    hashes = {"functional": inputs.functional.sha256 or hash_image(inputs.functional.image)}
    if inputs.ct is not None:
        hashes["ct"] = inputs.ct.sha256 or hash_image(inputs.ct.image)
    for name, mask in {**inputs.masks_on_ct, **inputs.masks_on_functional}.items():
        hashes[f"mask {name}"] = hash_image(mask)
    if inputs.transform is not None:
        hashes["transform"] = hashlib.sha256(str(inputs.transform).encode()).hexdigest()
    return Provenance("marrow_perfusion", hashes, settings.to_dict())
