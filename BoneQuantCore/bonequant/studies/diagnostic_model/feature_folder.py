"""What ``bonequant radiomics`` wrote, read back: lesions.csv, the recipe in features.json, readings.csv.

A CSV alone will do: columns ``lesion_id``, ``patient_id``, ``label`` and features. Where any column has a colon
(``CT:Mean``), those are the features; otherwise all columns that are not known by name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bonequant.errors import InputError
from bonequant.radiomics.model.table import SEPARATOR
from bonequant.studies.diagnostic_model.csv_file import CsvFile, number, read_csv
from bonequant.studies.lesion_radiomics.settings import recipe_hash
from bonequant.studies.lesion_radiomics.table import UNNAMED, column

READER = "reader_"
KNOWN = ("patient_id", "lesion_id", "label", "level", "centre", "settings_hash")
_DRAWN = ("drawing", "number")


@dataclass(frozen=True, eq=False)
class FeatureFolder:
    """One table of lesions.

    ``values`` (N, P) of ``columns``, NaN where a cell is empty. ``recipes`` by image, empty for a CSV alone. ``files``
    are what was read.
    """

    path: Path
    table: CsvFile
    columns: tuple[str, ...]
    values: np.ndarray
    recipes: Mapping[str, Mapping[str, Any]]
    stable: tuple[str, ...] | None
    files: tuple[Path, ...]

    def cell(self, row: int, column: str) -> str:
        """A text of the table, "" where the column is not there."""
        return self.table.rows[row].get(column, "")

    def patient(self, row: int) -> str:
        """Of a lesion; "" where the table names none."""
        name = self.cell(row, "patient_id")
        return "" if name == UNNAMED else name


def read_feature_folder(path: Path) -> FeatureFolder:
    """Read a results folder of ``bonequant radiomics``, or a CSV of the same layout.

    Raises InputError: not such a folder, no table of lesions, a cell that is no number, a table and a recipe
    that do not belong together.
    """
    file = path / "lesions.csv" if path.is_dir() else path
    recipe_file = file.with_name("features.json")
    if path.is_dir() and not (file.is_file() and recipe_file.is_file()):
        raise InputError(f"{path} holds no lesions.csv with its features.json: give what `bonequant radiomics` wrote.")
    table = read_csv(file)
    columns = feature_columns(table.columns)
    if not columns:
        raise InputError(f"{file} has no column of a feature.")
    known = recipe_file.is_file()
    recipe = _recipe(recipe_file) if known else {}
    _same_hash(table, str(recipe.get("settings_hash", "")))
    stable = recipe.get("stable")
    return FeatureFolder(
        path=path,
        table=table,
        columns=columns,
        values=_values(table, columns),
        recipes=recipe.get("recipes", {}),
        stable=None if stable is None else tuple(map(str, stable)),
        files=(file, recipe_file) if known else (file,),
    )


def feature_columns(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Which columns are features."""
    prefixed = tuple(name for name in columns if SEPARATOR in name)
    return prefixed or tuple(name for name in columns if name not in KNOWN and not name.startswith(READER))


def read_drawings(folder: FeatureFolder) -> dict[str, dict[str, tuple[dict[str, float], ...]]]:
    """readings.csv beside the table: kind of drawing to lesion to the features of each drawing; {} without it."""
    file = folder.files[0].with_name("readings.csv")
    if not file.is_file():
        return {}
    table = read_csv(file)
    missing = [name for name in ("patient_id", *_DRAWN) if name not in table.columns]
    absent = sorted(set(folder.columns) - set(table.columns))
    if missing or absent:
        raise InputError(f"{file} has no column {(missing or absent)[0]}; lesions.csv beside it is of another run.")
    values = _values(table, folder.columns)
    found: dict[str, dict[str, list[dict[str, float]]]] = {}
    for row, numbers in zip(table.rows, values.tolist(), strict=True):
        lesions = found.setdefault(row["drawing"], {})
        lesion = f"{folder.path}/{row['patient_id']}/{row['lesion_id']}"
        lesions.setdefault(lesion, []).append(dict(zip(folder.columns, numbers, strict=True)))
    return {kind: {lesion: tuple(rows) for lesion, rows in lesions.items()} for kind, lesions in found.items()}


def reasons_of(folder: FeatureFolder) -> dict[str, dict[str, str]]:
    """Why features are missing, by lesion id and column: of features.csv beside the table; {} where it tells none."""
    file = folder.files[0].with_name("features.csv")
    if not folder.path.is_dir() or not file.is_file() or not np.isnan(folder.values).any():
        return {}
    found: dict[str, dict[str, str]] = {}
    for row in read_csv(file).rows:
        if reason := row.get("missing_because", ""):
            lesion = found.setdefault(row["lesion_id"], {})
            lesion[column(row.get("image", ""), row.get("feature", ""))] = reason
    return found


def _recipe(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{file} is not readable JSON: {error}.") from error
    recipes = found.get("recipes") if isinstance(found, dict) else None
    if not isinstance(recipes, dict) or not recipes or not all(isinstance(item, dict) for item in recipes.values()):
        raise InputError(f"{file} does not say how the features were made: write it anew with `bonequant radiomics`.")
    if not isinstance(found.get("stable"), list | None):
        raise InputError(f"{file}: stable should be a list of columns.")
    if found.get("settings_hash") != recipe_hash(recipes):
        raise InputError(f"{file} was changed after it was written: its settings do not give its hash.")
    return found


def _same_hash(table: CsvFile, recipe: str) -> None:
    if "settings_hash" not in table.columns:
        if recipe:
            raise InputError(f"{table.path} has no column settings_hash; features.json beside it is of another table.")
        return
    wanted = recipe or table.rows[0]["settings_hash"]
    for row, cells in enumerate(table.rows):
        if cells["settings_hash"] != wanted:
            other = "features.json beside it" if recipe else f"line {table.lines[0]}"
            raise InputError(f"{table.where(row)}: the features were made with other settings than those of {other}.")


def _values(table: CsvFile, columns: tuple[str, ...]) -> np.ndarray:
    values = np.array([[number(row[name]) if row[name] else math.nan for name in columns] for row in table.rows])
    for row, at in np.argwhere(np.isnan(values)).tolist():
        text = table.rows[row][columns[at]]
        if text and text.lower() != "nan":
            raise InputError(
                f"{table.where(row)}: {columns[at]} is {text!r}, not a number. What is no feature belongs into the "
                "table of labels."
            )
    return np.where(np.isfinite(values), values, np.nan)
