"""The table of labels: what each lesion is, whose it is, how readers called it, and what else is known.

Columns: ``lesion_id`` and, where a lesion id occurs in several patients, ``patient_id``; ``label``; ``centre``;
``reader_<name>``: a call in the words of the label, 0/1, or a grade; any other column is a fact such as age or sex.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bonequant.errors import InputError
from bonequant.studies.diagnostic_model.csv_file import CsvFile, read_csv
from bonequant.studies.diagnostic_model.feature_folder import KNOWN, READER, FeatureFolder
from bonequant.studies.diagnostic_model.inputs import Lesion

_NO_CALL = ("", "NE", "NA")


def lesions_of(folders: Sequence[FeatureFolder], labels: Path | None) -> tuple[tuple[Lesion, ...], list[str]]:
    """The lesions of the tables in their order, each with what ``labels`` says of it; and what was noticed.

    Raises InputError naming file and line: a lesion twice, without a label, or a label without a lesion.
    """
    rows = [(folder, row) for folder in folders for row in range(len(folder.table.rows))]
    places: dict[tuple[str, str], str] = {}
    for folder, row in rows:
        key = (folder.patient(row), folder.cell(row, "lesion_id"))
        if not key[1]:
            raise InputError(f"{folder.table.where(row)}: lesion_id is empty.")
        if key in places:
            whose = f"of patient {key[0]}" if key[0] else "without the name of a patient"
            raise InputError(
                f"{folder.table.where(row)}: the lesion {key[1]} {whose} is there twice, first in {places[key]}. Give "
                "each patient a pseudonym (bonequant radiomics --patient), each lesion an id of its own."
            )
        places[key] = folder.table.where(row)
    extra = _Labels(read_csv(labels), list(places)) if labels is not None else None
    found = [_lesion(folder, row, extra) for folder, row in rows]
    unlabelled = [
        folder.table.where(row) for (folder, row), lesion in zip(rows, found, strict=True) if not lesion.label
    ]
    if unlabelled and extra is not None and "label" not in extra.table.columns:
        raise InputError(f"{labels} has no column label; its columns are: {', '.join(extra.table.columns)}.")
    if unlabelled:
        raise InputError(
            f"{unlabelled[0]}: no label for this lesion"
            + (f", nor for {len(unlabelled) - 1} others" if len(unlabelled) > 1 else "")
            + f". Write it into {labels.name if labels else 'a CSV with lesion_id and label, given by --labels'}."
        )
    for what in ("patient", "centre"):
        named = [bool(getattr(lesion, what)) for lesion in found]
        if any(named) and not all(named):
            folder, row = rows[named.index(False)]
            raise InputError(f"{folder.table.where(row)}: the {what} is not named, those of other lesions are.")
    return tuple(found), extra.warnings if extra else []


class _Labels:
    """Rows of the table of labels, found by lesion."""

    def __init__(self, table: CsvFile, lesions: list[tuple[str, str]]) -> None:
        self.table = table
        # Where the features' tables name no patient (or the labels none), the id of the lesion must do.
        self.by_patient = "patient_id" in table.columns and all(patient for patient, _ in lesions)
        self.rows: dict[tuple[str, str], dict[str, str]] = {}
        for row, cells in enumerate(table.rows):
            key = self.key(cells.get("patient_id", ""), cells["lesion_id"])
            if key in self.rows:
                raise InputError(f"{table.where(row)}: the lesion {cells['lesion_id']} is there twice.")
            self.rows[key] = cells
        wanted: set[tuple[str, str]] = set()
        for lesion in lesions:
            if (key := self.key(*lesion)) in wanted:
                raise InputError(
                    f"{table.path}: the lesion id {key[1]} occurs in several patients, so it needs a column patient_id."
                )
            wanted.add(key)
        absent = [row for row, key in enumerate(self.rows) if key not in wanted]
        self.warnings: list[str] = []
        if len(absent) == len(table.rows):
            raise InputError(
                f"{table.path} labels no lesion of the tables: it begins with {next(iter(self.rows))[1]}, they with "
                f"{lesions[0][1]}."
            )
        if absent:
            self.warnings.append(
                f"{len(absent)} label(s) have no lesion in the tables and were not used (first: line "
                f"{table.lines[absent[0]]} of {table.path.name})."
            )

    def key(self, patient: str, lesion: str) -> tuple[str, str]:
        return (patient if self.by_patient else "", lesion)

    def of(self, patient: str, lesion: str) -> dict[str, str]:
        return self.rows.get(self.key(patient, lesion), {})


def _lesion(folder: FeatureFolder, row: int, extra: _Labels | None) -> Lesion:
    patient, lesion = folder.patient(row), folder.cell(row, "lesion_id")
    own = {name: text for name, text in folder.table.rows[row].items() if name not in folder.columns}
    added = extra.of(patient, lesion) if extra else {}
    for name in ("patient_id", "label", "centre"):
        one, other = own.get(name, ""), added.get(name, "")
        if one and other and one != other and not (name == "patient_id" and not patient):
            raise InputError(
                f"{folder.table.where(row)}: {name} of lesion {lesion} is {one!r}; the labels say {other!r}."
            )
    cells = own | {name: text for name, text in added.items() if text}
    return Lesion(
        id=lesion,
        patient=patient or added.get("patient_id", ""),
        label=cells.get("label", ""),
        centre=cells.get("centre", ""),
        readers={
            name.replace("_", " "): text
            for name, text in cells.items()
            if name.startswith(READER) and text not in _NO_CALL
        },
        facts={
            name: text
            for name, text in cells.items()
            if text not in _NO_CALL and not name.startswith(READER) and (name not in KNOWN or name == "level")
        },
    )
