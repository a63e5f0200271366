"""Patients and phantoms that are known: an analytic torso, CT and SPECT of it, their truth, and real DICOM of it."""

from bonequant.phantom.ct import CtSettings, simulate_ct
from bonequant.phantom.dicom_ct import write_ct_series
from bonequant.phantom.dicom_nm import write_nm
from bonequant.phantom.dicom_pt import write_pt_series
from bonequant.phantom.dynamic_dicom import write_dynamic_series, write_mr_volume
from bonequant.phantom.dynamic_dro import Dro, DroSettings, extended_tofts_dro, noisy_signal, qiba_dro, simulate_dro
from bonequant.phantom.dynamic_liver import (
    LiverCtSettings,
    LiverScan,
    LiverTissue,
    liver_inputs,
    liver_preset,
    simulate_liver,
)
from bonequant.phantom.dynamic_spect import (
    DynamicSpectScan,
    DynamicSpectSettings,
    TracerTissue,
    dynamic_spect_preset,
    simulate_dynamic_spect,
    tracer_curve,
)
from bonequant.phantom.dynamic_spine import SpineDceSettings, SpineScan, simulate_spine, spine_follow_up, spine_preset
from bonequant.phantom.dynamic_tissue import Tissue
from bonequant.phantom.files import truth_document, write_patient
from bonequant.phantom.lesion_cohort import (
    FeatureCohort,
    LesionCase,
    LesionCohort,
    LesionCohortSettings,
    null_features,
    simulate_lesion_cohort,
)
from bonequant.phantom.lesions import Lesion
from bonequant.phantom.nema import (
    NemaScan,
    NemaSettings,
    nema_ct,
    simulate_nema,
    sphere_centers,
    sphere_diameters,
    sphere_points,
)
from bonequant.phantom.patient import Patient, PatientSettings, follow_up, preset, simulate_patient
from bonequant.phantom.pose import chain, rigid
from bonequant.phantom.spect import SpectScan, SpectSettings, effective_fwhm_mm, simulate_spect
from bonequant.phantom.torso import Torso, TorsoSettings, torso
from bonequant.phantom.tracers import TRACERS, Tracer
from bonequant.phantom.truth import RegionTruth, part_volumes_ml, region_truth

__all__ = [
    "TRACERS",
    "CtSettings",
    "Dro",
    "DroSettings",
    "DynamicSpectScan",
    "DynamicSpectSettings",
    "FeatureCohort",
    "Lesion",
    "LesionCase",
    "LesionCohort",
    "LesionCohortSettings",
    "LiverCtSettings",
    "LiverScan",
    "LiverTissue",
    "NemaScan",
    "NemaSettings",
    "Patient",
    "PatientSettings",
    "RegionTruth",
    "SpectScan",
    "SpectSettings",
    "SpineDceSettings",
    "SpineScan",
    "Tissue",
    "Torso",
    "TorsoSettings",
    "Tracer",
    "TracerTissue",
    "chain",
    "dynamic_spect_preset",
    "effective_fwhm_mm",
    "extended_tofts_dro",
    "follow_up",
    "liver_inputs",
    "liver_preset",
    "nema_ct",
    "noisy_signal",
    "null_features",
    "part_volumes_ml",
    "preset",
    "qiba_dro",
    "region_truth",
    "rigid",
    "simulate_ct",
    "simulate_dro",
    "simulate_dynamic_spect",
    "simulate_lesion_cohort",
    "simulate_liver",
    "simulate_nema",
    "simulate_patient",
    "simulate_spect",
    "simulate_spine",
    "sphere_centers",
    "sphere_diameters",
    "sphere_points",
    "spine_follow_up",
    "spine_preset",
    "torso",
    "tracer_curve",
    "truth_document",
    "write_ct_series",
    "write_dynamic_series",
    "write_mr_volume",
    "write_nm",
    "write_patient",
    "write_pt_series",
]
