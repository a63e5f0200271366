"""A simulated cohort as files: images, masks, features, labels with readers' grades, and the truth behind them.

Readers see both hidden signals through noise, part of it common to them, and grade from 1 to 5. Age, sex and level are
drawn without regard to class: any difference between the classes is chance.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bonequant.io import load, load_masks, write_volume
from bonequant.phantom import LesionCase, LesionCohort, LesionCohortSettings, simulate_lesion_cohort
from bonequant.progress import Progress, part_of
from bonequant.radiomics import MazdaSettings, StabilitySettings
from bonequant.report import write_csv, write_json
from bonequant.studies import lesion_radiomics
from bonequant.studies.diagnostic_model.truth import PlantedTruth
from bonequant.studies.lesion_radiomics.settings import CtIbsiSettings, FunctionalIbsiSettings
from bonequant.studies.lesion_radiomics.table import reading_rows
from bonequant.volume import Volume

# What a fast run needs: MaZda's texture, first order for the uptake (which MaZda's normalisation takes away), and two
# more drawings of each lesion. None of it needs pyradiomics.
EXTRACTION = lesion_radiomics.LesionSettings(
    mazda=MazdaSettings(),
    ct=CtIbsiSettings(classes=("firstorder",)),
    functional=FunctionalIbsiSettings(classes=("firstorder",)),
    stability=StabilitySettings(count=2),
)
_SEEN_TOGETHER, _SEEN_ALONE = 1.2, 0.9  # SD of readers' noise on the sum of both signals
_GRADES = np.array([-1.6, -0.5, 0.5, 1.6])  # cut-offs about the middle between the classes
_LEVELS = ("cervical", "thoracic", "lumbar", "sacrum", "pelvis")
PLANTED = {"CT": "how coarse the texture is", "SPECT": "how high the uptake is"}


def simulate_cohort_files(
    folder: Path, settings: LesionCohortSettings, progress: Progress | None = None
) -> PlantedTruth:
    """Write the cohort and return what was planted.

    - ``images/<lesion>/ct.nrrd``, ``spect.nrrd``, ``lesion.nrrd``
    - ``features/lesions.csv``, ``features.json``, ``readings.csv``: as ``bonequant radiomics`` writes them
    - ``labels.csv``: label, reader_1, reader_2, age, sex, level; ``truth.csv``: the hidden signals
    """
    simulated = part_of(progress, 0.0, 0.25)
    simulated(0.0, "Simulating lesions")
    cohort = simulate_lesion_cohort(settings)
    (folder / "features").mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    readings: list[dict[str, Any]] = []
    result = None
    measured = part_of(progress, 0.25, 1.0)
    for at, case in enumerate(cohort.cases):
        measured(at / len(cohort.cases), f"Features of {case.lesion}")
        result = lesion_radiomics.run(_through_files(case, folder / "images" / case.lesion), EXTRACTION)
        rows += lesion_radiomics.wide_rows(result)
        readings += reading_rows(result)
    assert result is not None  # a cohort has four lesions or more
    recipe = lesion_radiomics.recipe(result) | {"stable": None, "stable_unknown_because": "see readings.csv"}
    write_json(folder / "features" / "features.json", recipe)
    write_csv(folder / "features" / "lesions.csv", rows)
    write_csv(folder / "features" / "readings.csv", readings)
    write_csv(folder / "labels.csv", _label_rows(cohort))
    signals = {
        "CT": np.array([case.ct_signal for case in cohort.cases]),
        "SPECT": np.array([case.spect_signal for case in cohort.cases]),
    }
    hidden = [
        {"lesion_id": case.lesion, "ct_signal": case.ct_signal, "spect_signal": case.spect_signal}
        for case in cohort.cases
    ]
    write_csv(folder / "truth.csv", hidden)
    s = cohort.settings
    both = s.ct_effect * signals["CT"] + s.spect_effect * signals["SPECT"]
    return PlantedTruth({**signals, "combined": both}, cohort.best_auc, PLANTED)


def _through_files(case: LesionCase, folder: Path) -> lesion_radiomics.LesionInputs:
    """The case as a user has it: written, and read again."""
    folder.mkdir(parents=True)
    write_volume(case.ct, folder / "ct.nrrd")
    write_volume(case.spect.replace(unit="SUVbw"), folder / "spect.nrrd")
    write_volume(Volume(case.ct_mask), folder / "lesion.nrrd")
    ct, spect = load(folder / "ct.nrrd"), load(folder / "spect.nrrd")
    (mask,) = load_masks(folder / "lesion.nrrd", like=ct).values()
    lesion = lesion_radiomics.Lesion(case.lesion, mask, "ct")
    return lesion_radiomics.LesionInputs(lesions=(lesion,), ct=ct, functional=spect, patient=case.patient)


def _label_rows(cohort: LesionCohort) -> list[dict[str, Any]]:
    random = np.random.default_rng([cohort.settings.seed, 23])
    s = cohort.settings
    sums = np.array([case.ct_signal + case.spect_signal for case in cohort.cases]) - (s.ct_effect + s.spect_effect) / 2
    seen = sums + _SEEN_TOGETHER * random.standard_normal(len(sums))
    grades = [1 + np.searchsorted(_GRADES, seen + _SEEN_ALONE * random.standard_normal(len(sums))) for _ in range(2)]
    patients = sorted(set(cohort.patients))
    ages = dict(zip(patients, np.clip(random.normal(64, 11, len(patients)), 25, 92).round().astype(int), strict=True))
    sexes = dict(zip(patients, random.choice(["female", "male"], len(patients)), strict=True))
    return [
        {
            "patient_id": case.patient,
            "lesion_id": case.lesion,
            "label": "metastasis" if case.metastatic else "benign",
            "reader_1": int(grades[0][at]),
            "reader_2": int(grades[1][at]),
            "age": int(ages[case.patient]),
            "sex": str(sexes[case.patient]),
            "level": str(random.choice(_LEVELS)),
        }
        for at, case in enumerate(cohort.cases)
    ]
