"""A simulated patient: CT, SPECT, the way they are misaligned, and the truth about every region.

patient = simulate_patient(preset("demo", seed=1))
patient.truth_transform          # CT points to SPECT points
later, first_to_second = follow_up(patient, {"lesion_1": 1.2, "marrow": 0.7}, pose=(10, -6, 12, 2, -1, 3))
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import SimpleITK as sitk

from bonequant.errors import SettingsError
from bonequant.phantom.ct import CtSettings, simulate_ct
from bonequant.phantom.pose import Six, chain, rigid
from bonequant.phantom.spect import SpectSettings, effective_fwhm_mm, simulate_spect
from bonequant.phantom.torso import Torso, TorsoSettings, torso
from bonequant.phantom.tracers import TRACERS, Tracer
from bonequant.phantom.truth import RegionTruth, part_volumes_ml, region_truth
from bonequant.progress import Progress, no_progress
from bonequant.settings import Settings, setting
from bonequant.volume import Acquisition, Volume

PATIENT_NAME = "PHANTOM^BONEQUANT"
_PIVOT = (0.0, 20.0, 20.0)  # the patient turns about the middle of the spine


@dataclass(frozen=True)
class PatientSettings(Settings):
    """Everything that a simulated patient and his scans depend on."""

    torso: TorsoSettings = setting(TorsoSettings)
    ct: CtSettings = setting(CtSettings)
    spect: SpectSettings = setting(SpectSettings)
    tracer: str = setting("mdp", choices=tuple(TRACERS), help="Distribution: bone tracer, marrow colloid, MAA.")
    pose: tuple[float, float, float, float, float, float] = setting(
        (0.0,) * 6, help="How the patient lies in the CT: shift x, y, z in mm, rotation about x, y, z in degrees."
    )
    misregistration: tuple[float, float, float, float, float, float] = setting(
        (6.0, -4.0, 8.0, 1.5, -1.0, 2.0), help="How he moved from CT to SPECT, in the same terms."
    )
    weight_kg: float = setting(75.0, unit="kg", low=20, high=200)
    height_m: float = setting(1.76, unit="m", low=1.0, high=2.3)
    sex: str = setting("M", choices=("F", "M"))
    scan_start: str = setting("2024-03-12T13:20:00", help="Start of the SPECT, ISO local date-time.")


@dataclass(frozen=True, eq=False)
class Patient:
    """A simulated patient.

    Attributes:
        ct: HU.
        spect: counts, with every fact that activity and SUV need.
        labels: label of each CT voxel's centre, uint8 (z, y, x); ``torso.masks_of`` makes masks of them.
        truth: by region name.
        truth_transform: CT points to SPECT points.
        ct_to_torso: CT points to points of the torso.
    """

    settings: PatientSettings
    torso: Torso
    tracer: Tracer
    ct: Volume
    spect: Volume
    labels: np.ndarray
    truth: dict[str, RegionTruth]
    truth_transform: sitk.Transform
    ct_to_torso: sitk.Transform

    def masks(self, *names: str) -> dict[str, sitk.Image]:
        """True masks on the CT's grid; all regions when none is named."""
        return self.torso.masks_of(self.labels, self.ct.geometry, names or None)

    def lesion_ratio(self, number: int) -> float:
        """True activity of a lesion (1, 2 ...) over that of its normal host: vertebral marrow, or liver."""
        host = "liver" if self.torso.lesions[number - 1].host == "liver" else "marrow"
        return self.truth[f"lesion_{number}"].mean_suv / self.torso.normal_suv(self.tracer, host)

    @property
    def fwhm_mm(self) -> tuple[float, float, float]:
        """Effective FWHM (x, y, z) of the SPECT as it stands on its grid."""
        return effective_fwhm_mm(self.settings.spect)


def preset(name: str = "demo", *, seed: int = 1, **changes: object) -> PatientSettings:
    """Settings by name: "demo" (clinical grids) or "small" (2.5 x 2.5 x 5 mm CT, 64x64x60 SPECT, for tests, cohorts).

    ``changes`` replace top-level fields. Every random number follows from ``seed``.
    """
    if name == "demo":
        # The field of the SPECT is a little longer than that of the CT, as on a hybrid camera.
        ct, spect = CtSettings(seed=seed), SpectSettings(seed=seed, matrix=(128, 128, 104))
    elif name == "small":
        ct = CtSettings(spacing_mm=(2.5, 2.5, 5.0), blur_fwhm_mm=2.0, noise_fwhm_mm=3.0, seed=seed)
        spect = SpectSettings(
            spacing_mm=(6.8, 6.8, 6.8), matrix=(64, 64, 60), fwhm_mm=12.0, source_mm=3.5, total_counts=4e6, seed=seed
        )
    else:
        raise SettingsError(f"There is no preset {name!r}; choose demo or small.")
    settings = PatientSettings(torso=TorsoSettings(seed=seed), ct=ct, spect=spect)
    return dataclasses.replace(settings, **changes)  # type: ignore[arg-type]


def simulate_patient(
    settings: PatientSettings | None = None,
    progress: Progress | None = None,
    *,
    calibration_factor_cps_per_mbq: float | None = None,
    body: Torso | None = None,
) -> Patient:
    """Simulate CT, SPECT and truth. ``body`` replaces the torso of the settings (lesions with another uptake)."""
    s = settings or preset()
    report = progress or no_progress
    body = body or torso(s.torso)
    tracer = TRACERS[s.tracer]
    ct_to_torso = chain(rigid(s.pose, _PIVOT).GetInverse())
    truth_transform = chain(rigid(s.misregistration, _PIVOT))
    spect_to_torso = chain(truth_transform.GetInverse(), ct_to_torso)
    report(0.0, "Simulating CT")
    ct, labels = simulate_ct(body, s.ct, ct_to_torso)
    report(0.5, "Simulating SPECT")
    scan = simulate_spect(body, tracer, s.weight_kg, s.spect, spect_to_torso, calibration_factor_cps_per_mbq)
    report(0.7, "Counting the truth")
    step = max(1.0, 0.5 * min(s.ct.spacing_mm[:2]))
    truth = region_truth(body, tracer, s.weight_kg, part_volumes_ml(body, ct.geometry, ct_to_torso, step))
    facts = _acquisition(s, tracer)
    ct = ct.replace(acquisition=dataclasses.replace(_person(s), study_description="BoneQuant phantom"))
    spect = Volume(
        scan.counts,
        modality="NM",
        unit="counts",
        acquisition=dataclasses.replace(facts, calibration_factor_cps_per_mbq=scan.calibration_factor_cps_per_mbq),
        name="SPECT",
    )
    report(1.0, "Patient simulated")
    return Patient(s, body, tracer, ct, spect, labels, truth, truth_transform, ct_to_torso)


def follow_up(
    patient: Patient,
    changes: Mapping[str, float],
    *,
    pose: Six = (9.0, -5.0, 12.0, 2.0, -1.5, 2.5),
    misregistration: Six = (-4.0, 3.0, -6.0, -1.0, 1.0, -1.5),
    days: float = 90.0,
    progress: Progress | None = None,
) -> tuple[Patient, sitk.Transform]:
    """The same patient ``days`` later on the same camera, lying otherwise, with ``changes`` of his uptake.

    ``changes`` are those of :meth:`Torso.with_uptake`: ratios of lesions by name, a factor on normal "marrow".

    Returns the patient and the true transform from points of the first CT to points of the second.
    """
    before = patient.settings
    start = datetime.fromisoformat(before.scan_start) + timedelta(days=days)
    s = dataclasses.replace(
        before,
        pose=pose,
        misregistration=misregistration,
        scan_start=start.isoformat(timespec="seconds"),
        ct=dataclasses.replace(before.ct, seed=before.ct.seed + 1_000_003),
        spect=dataclasses.replace(before.spect, seed=before.spect.seed + 1_000_003),
    )
    factor = patient.spect.acquisition.calibration_factor_cps_per_mbq
    later = simulate_patient(
        s, progress, calibration_factor_cps_per_mbq=factor, body=patient.torso.with_uptake(changes)
    )
    return later, chain(patient.ct_to_torso, later.ct_to_torso.GetInverse())


def _person(s: PatientSettings) -> Acquisition:
    return Acquisition(
        patient_id=f"BQ{s.torso.seed:06d}",
        patient_name=PATIENT_NAME,
        patient_sex=s.sex,
        patient_weight_kg=s.weight_kg,
        patient_height_m=s.height_m,
        patient_age_years=55.0,
        study_datetime=datetime.fromisoformat(s.scan_start) - timedelta(minutes=5),
        manufacturer="BoneQuant",
        scanner="Analytic phantom",
    )


def _acquisition(s: PatientSettings, tracer: Tracer) -> Acquisition:
    start = datetime.fromisoformat(s.scan_start)
    return dataclasses.replace(
        _person(s),
        series_datetime=start,
        acquisition_start=start,
        frame_duration_s=s.spect.projection_s,
        acquisition_duration_s=s.spect.duration_s,
        radionuclide=tracer.radionuclide,
        half_life_s=tracer.half_life_s,
        radiopharmaceutical=tracer.radiopharmaceutical,
        injected_activity_bq=tracer.injected_activity_bq,
        injection_time=start - timedelta(seconds=tracer.uptake_s),
        decay_correction=s.spect.decay_correction,
        corrections=("ATTN", "SCAT", *(("DECY",) if s.spect.decay_correction != "NONE" else ())),
        number_of_projections=s.spect.projections,
        number_of_detectors=s.spect.heads,
        study_description="BoneQuant phantom",
    )
