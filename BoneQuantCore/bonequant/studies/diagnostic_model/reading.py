"""From files to a cohort: tables of features joined where they were made alike, labels put beside them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress
from bonequant.provenance import hash_files
from bonequant.radiomics.model.predict import setting_differences
from bonequant.studies.diagnostic_model.feature_folder import FeatureFolder, read_drawings, read_feature_folder
from bonequant.studies.diagnostic_model.inputs import TrainingInputs
from bonequant.studies.diagnostic_model.labels import lesions_of

_SHOWN = 3
AnyPath = str | os.PathLike[str]


def read_inputs(
    tables: Sequence[AnyPath] | AnyPath, labels: AnyPath | None = None, *, progress: Progress | None = None
) -> TrainingInputs:
    """Read results folders of ``bonequant radiomics`` (or CSV tables) and the labels.

    Args:
        tables: one or many; of a folder without lesions.csv each subfolder that has one is taken.
        labels: CSV, see :mod:`bonequant.studies.diagnostic_model.labels`; without it the tables' own label counts.

    Raises InputError naming file and line, or the folder whose features were made otherwise and how.
    """
    report = progress or no_progress
    given = [Path(table) for table in ([tables] if isinstance(tables, (str, os.PathLike)) else tables)]
    paths = list(dict.fromkeys(path for table in given for path in _folders(table)))
    if not paths:
        raise InputError("No table of features was given: name results folders of `bonequant radiomics`, or a CSV.")
    folders = []
    for at, path in enumerate(paths):
        report(at / len(paths), f"Reading {path.name}")
        folders.append(read_feature_folder(path))
    first, *others = folders
    for other in others:
        _made_alike(first, other)
    order = [[folder.columns.index(name) for name in first.columns] for folder in folders]
    values = np.concatenate([folder.values[:, at] for folder, at in zip(folders, order, strict=True)])
    lesions, warnings = lesions_of(folders, None if labels is None else Path(labels))
    drawings: dict[str, dict[Any, Any]] = {}
    for folder in folders:
        for kind, found in read_drawings(folder).items():
            drawings.setdefault(kind, {}).update(found)
    if not first.recipes:
        warnings.append(
            "No features.json says how these features were made: the model cannot refuse features made otherwise."
        )
    sha256 = {"features": hash_files([file for folder in folders for file in folder.files])}
    if labels is not None:
        sha256["labels"] = hash_files([Path(labels)])
    return TrainingInputs(
        lesions=lesions,
        columns=first.columns,
        values=values,
        recipes=first.recipes,
        drawings=drawings,
        stable=first.stable if len(folders) == 1 else None,
        sources=tuple(path.name for path in paths),
        sha256=sha256,
        warnings=tuple(warnings),
    )


def _folders(path: Path) -> list[Path]:
    if not path.exists():
        raise InputError(f"{path} does not exist: give results folders of `bonequant radiomics`, or a CSV of features.")
    if path.is_file() or (path / "lesions.csv").is_file():
        return [path]
    found = sorted(folder.parent for folder in path.glob("*/lesions.csv"))
    if not found:
        raise InputError(f"{path} holds no lesions.csv, nor do its folders: give what `bonequant radiomics` wrote.")
    return found


def _made_alike(first: FeatureFolder, other: FeatureFolder) -> None:
    """Raise InputError that names the folder and what differs."""
    if bool(first.recipes) != bool(other.recipes):
        silent = other if first.recipes else first
        raise InputError(f"{silent.path} has no features.json: whether its features were made alike is unknown.")
    images = [set(first.recipes), set(other.recipes)]
    if images[0] != images[1]:
        raise InputError(
            f"{other.path} has features of {', '.join(sorted(images[1]))}; {first.path} of "
            f"{', '.join(sorted(images[0]))}."
        )
    differences = setting_differences(first.recipes, other.recipes)
    if differences:
        shown = "; ".join(text.replace(", trained with ", f", in {first.path.name} ") for text in differences[:_SHOWN])
        more = f" and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        raise InputError(
            f"{other.path}: its features were made otherwise than those of {first.path}: {shown}{more}. Extract all "
            "with the same settings."
        )
    unlike = sorted(set(first.columns) ^ set(other.columns))
    if unlike:
        lacking = other if unlike[0] in first.columns else first
        raise InputError(f"{lacking.path} has no column {unlike[0]} ({len(unlike)} differ). Extract all alike.")
