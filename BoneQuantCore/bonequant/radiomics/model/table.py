"""The table of features as it comes in, checked: columns of numbers, the cases' labels, patients and centres.

A column with a missing value, or without any variation, is left out with the reason; a lesion never is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bonequant.errors import InputError
from bonequant.radiomics.model.scaling import varies
from bonequant.radiomics.model.settings import ModelSettings
from bonequant.statistics.checks import Booleans, Floats, Integers, binary, codes

COMBINED = "combined"
SEPARATOR = ":"
Sets = Mapping[str, "str | Sequence[str]"]


@dataclass(frozen=True, eq=False)
class Cohort:
    """Usable features ``x`` (N, P) with their ``names``, labels (N,), patient codes (N,), centres (N,) or None.

    ``dropped``: feature to the reason why it is not in ``x``.
    """

    names: tuple[str, ...]
    x: Floats
    labels: Booleans
    patients: Integers
    centres: tuple[str, ...] | None
    dropped: dict[str, str]

    @property
    def y(self) -> Floats:
        return self.labels.astype(np.float64)

    def columns(self, names: Sequence[str]) -> Floats:
        """The columns of ``names`` (N, k), in their order."""
        at = {name: index for index, name in enumerate(self.names)}
        return self.x[:, [at[name] for name in names]]


def read_cohort(
    table: Any,
    labels: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    *,
    names: Sequence[str] | None = None,
    centres: Sequence[Any] | None = None,
) -> Cohort:
    """Check everything that :func:`~bonequant.radiomics.evaluate` is given.

    Raises InputError for lengths that differ, labels other than 0/1 or of one class, columns that are not numbers,
    and where no usable feature is left.
    """
    columns, values = _matrix(table, names)
    truth = binary(labels)
    if len(truth) != len(values):
        raise InputError(f"{len(values)} lesions in the table but {len(truth)} labels: give one label for each lesion.")
    positive = int(truth.sum())
    if positive in (0, len(truth)):
        raise InputError(
            f"All {len(truth)} lesions are {'positive' if positive else 'negative'}: a model needs both classes."
        )
    patients = codes(groups, len(truth))
    places = None
    if centres is not None:
        codes(np.asarray(centres, dtype=object), len(truth))  # length and missing entries
        places = tuple(str(centre) for centre in centres)
    dropped = _unusable(columns, values)
    kept = [at for at, name in enumerate(columns) if name not in dropped]
    if not kept:
        missing = (~np.isfinite(values)).sum(axis=1)
        worst = int(missing.argmax())
        raise InputError(
            f"None of the {len(columns)} features can be used: each is missing for some lesion or constant. The lesion "
            f"in row {worst} (counted from 0) lacks {int(missing[worst])} of them; leave such lesions out."
        )
    return Cohort(tuple(columns[at] for at in kept), values[:, kept], truth, patients, places, dropped)


def feature_sets(columns: Sequence[str], settings: ModelSettings, given: Sets | None = None) -> dict[str, list[str]]:
    """The models to be built: name to its columns, out of all ``columns`` of the table; a combined one comes last.

    ``given``: name to a prefix or to the columns themselves; otherwise the settings', otherwise by themselves.
    """
    wanted: Sets = given if given is not None else dict(_named(entry) for entry in settings.sets)
    if not wanted:
        prefixes = list(dict.fromkeys(modality_of(name) for name in columns))
        if len(prefixes) < 2 or "" in prefixes:
            return {"all features": list(columns)}
        wanted = {prefix: prefix + SEPARATOR for prefix in prefixes}
    found: dict[str, list[str]] = {}
    for name, choice in wanted.items():
        if isinstance(choice, str):
            found[name] = [column for column in columns if column.startswith(choice)]
        else:
            unknown = sorted(set(choice) - set(columns))
            if unknown:
                raise InputError(f"Feature set {name!r} names {', '.join(unknown[:5])}, not in the table.")
            found[name] = list(dict.fromkeys(choice))
        if not found[name]:
            raise InputError(f"Feature set {name!r} ({choice!r}) holds no column of the table.")
    if len(found) > 1 and COMBINED not in found:
        found[COMBINED] = list(dict.fromkeys(column for members in found.values() for column in members))
    return found


def modality_of(column: str) -> str:
    """What stands before the colon of a column's name ("CT" of "CT:Mean"), or nothing."""
    return column.partition(SEPARATOR)[0] if SEPARATOR in column else ""


def _named(entry: str) -> tuple[str, str]:
    name, equals, prefix = entry.partition("=")
    if not (name and equals and prefix):
        raise InputError(f"The setting sets holds {entry!r}; write name=prefix, CT=CT: for example.")
    return name, prefix


def _matrix(table: Any, names: Sequence[str] | None) -> tuple[list[str], Floats]:
    """Names and values (N, P) of a mapping of columns, a DataFrame, a list of lesions' features, or an array."""
    if isinstance(table, Sequence) and len(table) and not any(isinstance(row, Mapping) for row in table):
        table = _array(table)
    if isinstance(table, np.ndarray):
        if table.ndim != 2 or (names is not None and table.shape[1] != len(names)):
            raise InputError(
                f"A table given as an array must be (lesions, features) with as many names; its shape is {table.shape} "
                f"and {'no' if names is None else len(names)} names were given."
            )
        names = [f"feature_{at + 1}" for at in range(table.shape[1])] if names is None else names
        columns = {str(name): table[:, at] for at, name in enumerate(names)}
        count = len(names)
    elif isinstance(table, Sequence):
        if not table or not all(isinstance(row, Mapping) for row in table):
            raise InputError("A table given as a list must hold one mapping of feature to value for each lesion.")
        if any(set(row) != set(table[0]) for row in table):
            raise InputError("The lesions do not hold the same features: extract all with the same settings.")
        columns = {str(name): np.array([row[name] for row in table]) for name in table[0]}
        count = len(table[0])
    elif hasattr(table, "columns") or isinstance(table, Mapping):
        keys = list(table.columns) if hasattr(table, "columns") else list(table)
        columns = {str(name): np.asarray(table[name]) for name in keys} if len(set(keys)) == len(keys) else {}
        count = len(keys)
    else:
        raise InputError(f"A table of features is a mapping, a DataFrame, a list or an array, not {type(table)}.")
    if len(columns) != count or not columns:
        raise InputError("The table has no columns, or several of one name: each feature needs a name of its own.")
    arrays = {name: _numbers(name, column) for name, column in columns.items()}
    lengths = {len(column) for column in arrays.values()}
    if len(lengths) != 1:
        raise InputError(f"The columns of the table differ in length: {sorted(lengths)} lesions.")
    return list(arrays), np.column_stack(list(arrays.values()))


def _array(rows: Sequence[Any]) -> np.ndarray:
    try:
        return np.array([np.asarray(row, dtype=np.float64) for row in rows], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"A table given as a list must hold one mapping, or one row of numbers, for each lesion: {error}."
        ) from error


def _numbers(name: str, column: Any) -> Floats:
    try:
        found = np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"Column {name!r} does not hold numbers ({error}): leave it out of the features.") from error
    if found.ndim != 1:
        raise InputError(f"Column {name!r} must hold one number for each lesion, not an array of {found.shape}.")
    return found


def _unusable(names: Sequence[str], values: Floats) -> dict[str, str]:
    finite = np.isfinite(values)
    missing = (~finite).sum(axis=0)
    varied = varies(np.where(finite, values, 0.0))
    reasons = {}
    for at, name in enumerate(names):
        if missing[at]:
            reasons[name] = f"missing for {missing[at]} of {len(values)} lesions"
        elif not varied[at]:
            reasons[name] = f"constant over all {len(values)} lesions"
    return reasons
