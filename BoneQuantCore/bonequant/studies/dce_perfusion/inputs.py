"""What the DCE job takes, and the checks made before anything is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.kinetics import MODELS
from bonequant.kinetics.fit import frames_needed, frames_that_count
from bonequant.studies.dce_perfusion.settings import DESCRIPTIVE_ONLY, DceSettings
from bonequant.volume import Curve, DynamicSeries, Volume

MODALITIES = ("MR", "CT")


@dataclass(frozen=True, eq=False)
class DceInputs:
    """One dynamic study of one patient.

    Attributes:
        series: MR signal, MR concentration (unit "mM") or CT in HU.
        t1_volumes: MR volumes of different flip angles, from which T1 is mapped; TR and angle in their acquisition.
        t1_map: T1 before contrast (s or ms), on any grid.
        b1_map: factor of the flip angle, on any grid.
        masks: regions to measure, each on the grid on which it was drawn, in the space of the series.
        aif_curve: an input from elsewhere; plasma or blood, see ``DceSettings.input_is``.
        aif_region: the artery, drawn; it takes the place of the search.
        delay_s: of the tissue, by hand for this study alone; it goes before ``DceSettings.delay_s``.
        name: of the date in tables ("baseline"); no patient identifier.
    """

    series: DynamicSeries
    t1_volumes: Sequence[Volume] = ()
    t1_map: Volume | None = None
    b1_map: Volume | None = None
    masks: Mapping[str, sitk.Image] = field(default_factory=dict)
    aif_curve: Curve | None = None
    aif_region: sitk.Image | None = None
    delay_s: float | None = None
    name: str = "baseline"


def check(inputs: DceInputs, settings: DceSettings) -> None:
    """Raise InputError for inputs that do not fit each other or the settings, before long work begins."""
    series = inputs.series
    label = series.source or series.name or "The series"
    if series.modality not in MODALITIES and series.unit != "mM":
        raise InputError(
            f"{label} has modality {series.modality}; dynamic MR or CT is due. For a plain image file say which: "
            "--fact modality=MR."
        )
    if series.modality == "CT" and series.unit not in ("HU", "mM"):
        raise InputError(f"{label} is a CT in {series.unit or 'no unit'}; HU is due: --fact unit=HU.")
    if inputs.aif_curve is not None and inputs.aif_region is not None:
        raise InputError("Both an input curve and the region of an artery are given; give one.")
    if inputs.t1_map is not None and inputs.t1_volumes:
        raise InputError("Both a T1 map and a series of flip angles are given; give one.")
    _check_patient(inputs)
    asked = settings.signal.baseline_frames
    if asked is not None and asked >= len(series.times_s):
        raise InputError(
            f"signal.baseline_frames is {asked}, and {label} has {len(series.times_s)} frames: those before the "
            "contrast are fewer."
        )
    if settings.maps_of == "regions" and not inputs.masks:
        raise InputError("maps_of=regions needs regions: give masks, or maps_of=body.")
    if settings.model != DESCRIPTIVE_ONLY:
        _check_frames(series, settings, label)


def _check_frames(series: DynamicSeries, settings: DceSettings, label: str) -> None:
    """The delay of :func:`find_delay` needs one frame more and is left out, with a warning, where there is none."""
    count = len(series.times_s[frames_that_count(series.times_s, settings.kinetics)])
    needed = frames_needed(MODELS[settings.model], with_delay=False)
    from_first = "" if settings.kinetics.first_s is None else " from kinetics.first_s on"
    if count < needed:
        raise InputError(
            f"{label} has {count} frames{from_first}; {settings.model} needs at least {needed} for its parameters. "
            "Take a simpler model, or descriptive maps alone: --set model=none."
        )
    in_every_voxel = settings.kinetics.fit_delay or settings.delay == "voxel"
    if in_every_voxel and count == needed:
        way = "--set kinetics.fit_delay=false" if settings.kinetics.fit_delay else "--set delay=none"
        raise InputError(
            f"{label} has {count} frames{from_first}; {settings.model} with a delay in every voxel needs at least "
            f"{needed + 1}. Fit it without: {way}."
        )


def _beside(inputs: DceInputs) -> Iterator[tuple[str, Volume]]:
    """What is laid onto the series voxel by voxel, with how to call it in a message."""
    roles = [("The T1 volume", volume) for volume in inputs.t1_volumes]
    roles += [("The T1 map", inputs.t1_map)] if inputs.t1_map is not None else []
    roles += [("The B1 map", inputs.b1_map)] if inputs.b1_map is not None else []
    for role, volume in roles:
        yield f"{role} {volume.source or volume.name}".strip(), volume


def _check_patient(inputs: DceInputs) -> None:
    ours, label = inputs.series.acquisition, inputs.series.source or inputs.series.name or "the series"
    ways = {"patient_id": "--fact patient_id=VALUE", "patient_sex": "--fact patient_sex=VALUE"}
    for what, fact in (("patient ID", "patient_id"), ("sex", "patient_sex")):
        for name, volume in _beside(inputs):
            first, second = getattr(ours, fact), getattr(volume.acquisition, fact)
            if first and second and first != second:
                raise InputError(
                    f"{name} and {label} differ in {what}: they may show different patients. Give those of one "
                    f"patient; if they show one, give the series the {what} of the former: {ways[fact]}."
                )


def other_sessions(inputs: DceInputs) -> tuple[str, ...]:
    """Warnings about T1 and B1 of another date or position: they are laid onto the series as they lie in space."""
    ours, found = inputs.series.acquisition, []
    for name, volume in _beside(inputs):
        theirs = volume.acquisition
        differing = []
        if ours.study_datetime and theirs.study_datetime:
            first, second = ours.study_datetime.date(), theirs.study_datetime.date()
            differing += [f"of {second}, the series of {first}"] if first != second else []
        if ours.frame_of_reference_uid and theirs.frame_of_reference_uid:
            moved = ours.frame_of_reference_uid != theirs.frame_of_reference_uid
            differing += ["in another frame of reference than the series"] if moved else []
        if differing:
            found.append(
                f"{name} is {' and '.join(differing)}: it was taken in another session or position, and nothing brings "
                "it onto the series. Look at whether they lie on each other."
            )
    return tuple(found)
