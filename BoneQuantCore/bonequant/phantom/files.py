"""A simulated patient as a folder: ``CT/`` and ``SPECT/recon.dcm`` in DICOM, and ``truth.json`` beside them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.phantom.dicom_ct import write_ct_series
from bonequant.phantom.dicom_nm import write_nm
from bonequant.phantom.patient import Patient
from bonequant.phantom.truth import body_truth
from bonequant.volume.geometry import matrix_of


def write_patient(patient: Patient, folder: str | Path) -> Path:
    """Write CT, SPECT and truth into ``folder`` and return it. The same patient gives the same bytes."""
    folder = Path(folder)
    write_ct_series(patient.ct, folder / "CT")
    write_nm(patient.spect, folder / "SPECT" / "recon.dcm")
    text = json.dumps(truth_document(patient), indent=2, allow_nan=False)
    (folder / "truth.json").write_text(text + "\n", encoding="utf-8")
    return folder


def truth_document(patient: Patient) -> dict[str, Any]:
    """All that is true of the patient, JSON-ready. Units are in the names.

    ``ct_to_spect_matrix`` is the 4x4 LPS matrix from CT points to SPECT points, row by row.
    """
    bodies = body_truth(
        patient.torso, patient.tracer, patient.settings.weight_kg, patient.ct.geometry, patient.ct_to_torso
    )
    return {
        "settings": patient.settings.to_dict(),
        "calibration_factor_cps_per_mbq": patient.spect.acquisition.calibration_factor_cps_per_mbq,
        "effective_fwhm_mm": list(patient.fwhm_mm),
        "ct_to_spect_matrix": matrix_of(patient.truth_transform).tolist(),
        "lesions": {
            f"lesion_{number}": {
                "center_mm": _center_mm(patient, f"lesion_{number}"),
                "host": lesion.host,
                "kind": lesion.kind,
                "uptake_ratio": patient.lesion_ratio(number),
                "volume_ml": patient.truth[f"lesion_{number}"].volume_ml,
            }
            for number, lesion in enumerate(patient.torso.lesions, start=1)
            if f"lesion_{number}" in patient.truth
        },
        "regions": {name: dataclasses.asdict(truth) for name, truth in patient.truth.items()},
        "vertebral_bodies": {name: dataclasses.asdict(truth) for name, truth in bodies.items()},
    }


def _center_mm(patient: Patient, region: str) -> list[float]:
    """Centre of mass (LPS mm, CT) of a region's voxels."""
    mask = patient.masks(region)[region]
    index = np.argwhere(sitk.GetArrayViewFromImage(mask) > 0).mean(axis=0)[::-1]
    return list(mask.TransformContinuousIndexToPhysicalPoint(index.tolist()))
