"""Tables as ``bonequant radiomics`` writes them, of lesions with a known difference. No images."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bonequant.report import write_csv
from bonequant.studies.lesion_radiomics.settings import recipe_hash

RECIPES: dict[str, dict[str, Any]] = {
    "CT": {"unit": "HU", "families": ["mazda"], "plane": "axial", "mazda": {"normalisation": "sigma"}},
    "SPECT": {"unit": "SUVbw", "families": ["mazda"], "plane": "axial", "mazda": {"normalisation": "none"}},
}
COLUMNS = (
    *("CT:Mean", "CT:Teta1", "CT:S(1,0)Contrast", "CT:GrMean"),
    *("SPECT:Mean", "SPECT:Perc.50%", "SPECT:GrMean", "SPECT:Sigma"),
)


def make_rows(lesions: int = 60, per_patient: int = 2, effect: float = 1.6, seed: int = 0) -> list[dict[str, Any]]:
    """Lesions P001-1, P001-2, P002-1 ...; patients in turn metastatic and benign.

    ``CT:Teta1`` and ``SPECT:Mean`` carry the class by ``effect`` SD, the others are noise.
    """
    random = np.random.default_rng(seed)
    rows = []
    for at in range(lesions):
        patient, number = divmod(at, per_patient)
        positive = patient % 2 == 0
        values = random.standard_normal(len(COLUMNS))
        values[[COLUMNS.index("CT:Teta1"), COLUMNS.index("SPECT:Mean")]] += effect * positive
        name = f"P{patient + 1:03d}"
        row = {"patient_id": name, "lesion_id": f"{name}-{number + 1}", "level": "L1"}
        row |= {"label": "metastasis" if positive else "benign", "settings_hash": recipe_hash(RECIPES)}
        rows.append(row | dict(zip(COLUMNS, values.tolist(), strict=True)))
    return rows


def write_folder(
    folder: Path,
    rows: Sequence[Mapping[str, Any]],
    *,
    recipes: Mapping[str, Any] | None = None,
    stable: Sequence[str] | None = None,
    readings: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """A results folder of lesion radiomics: lesions.csv, features.json and, where given, readings.csv."""
    recipes = RECIPES if recipes is None else recipes
    folder.mkdir(parents=True)
    known = recipe_hash(recipes)
    write_csv(folder / "lesions.csv", [{**row, "settings_hash": known} for row in rows])
    recipe = {"settings_hash": known, "recipes": recipes, "columns": {}, "stable": stable}
    (folder / "features.json").write_text(json.dumps(recipe))
    if readings:
        write_csv(folder / "readings.csv", readings)
    return folder


def redraw(rows: Sequence[Mapping[str, Any]], unsteady: Sequence[str], count: int = 3) -> list[dict[str, Any]]:
    """readings.csv of the lesions: ``unsteady`` columns are drawn anew at every drawing, the others stay."""
    random = np.random.default_rng(5)
    found = []
    for row in rows:
        for number in range(count):
            changed = {name: random.standard_normal() for name in unsteady}
            kept = {name: row[name] for name in COLUMNS}
            key = {name: row[name] for name in ("patient_id", "lesion_id", "settings_hash")}
            found.append(key | {"drawing": "perturbation", "number": number} | kept | changed)
    return found
