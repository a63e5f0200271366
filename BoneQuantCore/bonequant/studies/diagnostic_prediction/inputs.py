"""What a prediction needs: the model, and lesions with their features and how these were made."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress
from bonequant.provenance import hash_files
from bonequant.radiomics import DiagnosticModel, Features, load_model
from bonequant.studies.diagnostic_model.feature_folder import FeatureFolder, read_feature_folder, reasons_of

AnyPath = str | os.PathLike[str]


@dataclass(frozen=True, eq=False)
class NewLesion:
    """A lesion to be judged: its features by column, which may say why they are missing, their recipe by image, and
    where it stands in the files."""

    id: str
    patient: str
    level: str
    features: Mapping[str, float]
    recipes: Mapping[str, Mapping[str, Any]]
    where: str


@dataclass(frozen=True, eq=False)
class PredictionInputs:
    """``centre``: where the lesions were imaged, "" where not told. ``sha256``: of the files by role."""

    model: DiagnosticModel
    lesions: tuple[NewLesion, ...]
    centre: str = ""
    sha256: Mapping[str, str] = field(default_factory=dict)


def read_inputs(
    model: AnyPath,
    features: Sequence[AnyPath] | AnyPath,
    *,
    lesions: Sequence[str] = (),
    centre: str = "",
    progress: Progress | None = None,
) -> PredictionInputs:
    """Read the model's file and results folders of ``bonequant radiomics`` (or CSV tables).

    ``lesions``: the ids of those wanted, all by default. Raises InputError: a model that is none or was changed, a
    folder without features, a lesion twice or not there.
    """
    report = progress or no_progress
    report(0.0, "Reading the model")
    stored = load_model(Path(model))
    paths = [Path(item) for item in ([features] if isinstance(features, (str, os.PathLike)) else features)]
    found: list[NewLesion] = []
    files: list[Path] = []
    for at, path in enumerate(paths):
        report(at / len(paths), f"Reading {path.name}")
        if not path.exists():
            raise InputError(f"{path} does not exist: give a results folder of `bonequant radiomics`.")
        folder = read_feature_folder(path)
        files += folder.files
        found += _lesions(folder)
    seen: dict[tuple[str, str, str], str] = {}
    for lesion in found:
        # Lesions of unnamed patients in different folders may share an id.
        key = (lesion.patient, "" if lesion.patient else lesion.where.rpartition(",")[0], lesion.id)
        if key in seen:
            raise InputError(f"{lesion.where}: the lesion {lesion.id} is there twice, first in {seen[key]}.")
        seen[key] = lesion.where
    absent = sorted(set(lesions) - {lesion.id for lesion in found})
    if absent:
        raise InputError(f"There is no lesion {absent[0]}; there are {', '.join(lesion.id for lesion in found[:8])}.")
    wanted = [lesion for lesion in found if not lesions or lesion.id in lesions]
    hashes = {"model": stored.sha256, "features": hash_files(files)}
    return PredictionInputs(stored, tuple(wanted), centre, hashes)


def _lesions(folder: FeatureFolder) -> list[NewLesion]:
    reasons = reasons_of(folder)
    return [
        NewLesion(
            id=folder.cell(row, "lesion_id"),
            patient=folder.patient(row),
            level=folder.cell(row, "level"),
            features=Features(
                dict(zip(folder.columns, numbers, strict=True)), reasons.get(folder.cell(row, "lesion_id"))
            ),
            recipes=folder.recipes,
            where=folder.table.where(row),
        )
        for row, numbers in enumerate(folder.values.tolist())
    ]
