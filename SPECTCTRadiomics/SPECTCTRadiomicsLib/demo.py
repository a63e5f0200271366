"""Data to try the panel on: a simulated patient with bone lesions, and a model trained on simulated lesions.

Neither says anything about patients: the model has learnt the differences that were planted in its cohort.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

_CT_MM, _SPECT_MM = (1.5, 1.5, 3.0), (4.42, 4.42, 4.42)  # the grids of both
_COHORT, _PER_PATIENT = 60, 1.43  # lesions


def patient_settings() -> Any:
    """The simulated patient of the demo."""
    from bonequant.phantom import CtSettings, SpectSettings, preset

    ct = CtSettings(spacing_mm=_CT_MM, seed=1)
    return preset(ct=ct, spect=SpectSettings(spacing_mm=_SPECT_MM, matrix=(96, 96, 92), seed=1))


def simulate(progress: Any) -> tuple[Any, Any, dict[str, Any]]:
    """CT, SPECT in SUV as the scanner put them (the patient moved in between), and the lesions in bone on the CT."""
    from bonequant.phantom import simulate_patient
    from bonequant.spect import to_activity, to_suv

    patient = simulate_patient(patient_settings(), progress)
    names = [f"lesion_{number}" for number, one in enumerate(patient.torso.lesions, 1) if one.host != "liver"]
    return patient.ct, to_suv(to_activity(patient.spect, None)), patient.masks(*names)


def to_nodes(ct: Any, spect: Any, masks: dict[str, Any]) -> tuple[Any, Any, Any]:
    """The nodes of CT, SPECT and lesions."""
    from bonequant import mrml

    nodes = (mrml.to_node(ct, "CT"), mrml.to_node(spect, "SPECT"), mrml.to_node(masks, "Lesions"))
    nodes[2].SetReferenceImageGeometryParameterFromVolumeNode(nodes[0])
    return nodes


def train(path: str | Path, progress: Any) -> Path:
    """A model of MaZda features, trained on a simulated cohort on the same grids, as a file."""
    from bonequant.phantom import LesionCohortSettings, simulate_lesion_cohort
    from bonequant.radiomics import ModelSettings, evaluate
    from bonequant.studies import lesion_radiomics as job

    cohort = simulate_lesion_cohort(
        LesionCohortSettings(
            lesions=_COHORT,
            patients=round(_COHORT / _PER_PATIENT),
            ct_spacing_mm=_CT_MM,
            spect_spacing_mm=_SPECT_MM,
        )
    )
    settings = job.LesionSettings(families=("mazda",), perturb=False)
    rows, recipes = [], {}
    for number, case in enumerate(cohort.cases):
        progress(0.5 * number / _COHORT, "Measuring the simulated cohort")
        lesion = job.Lesion(case.lesion, case.ct_mask, "ct")
        result = job.run(job.LesionInputs((lesion,), case.ct, case.spect.replace(unit="SUVbw")), settings)
        (row,) = job.wide_rows(result)
        rows.append({name: value for name, value in row.items() if ":" in name})
        recipes = result.recipes
    progress(0.5, "Training")
    report = evaluate(rows, cohort.labels, cohort.patients, ModelSettings(mode="paper"), extraction=recipes)
    return report["combined"].model.save(path)
