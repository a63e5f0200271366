"""What a diagnostic model is trained from: lesions with features, labels, patients, and what else is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Redrawn = Mapping[str, Mapping[str, tuple[dict[str, float], ...]]]


@dataclass(frozen=True)
class Lesion:
    """One lesion: its id, patient, label as written, centre ("" unknown), readers' calls and other facts as written."""

    id: str
    patient: str
    label: str
    centre: str = ""
    readers: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class TrainingInputs:
    """The cohort.

    Attributes:
        lesions: N of them, in the order of the tables.
        columns: names of the P features; values (N, P), NaN where a feature is missing.
        recipes: image name to how its features were made; empty where no features.json said so.
        drawings: of readings.csv: kind of redrawing to lesion to the features of each drawing.
        stable: what a single features.json calls stable; None where it says nothing, or several would have to be
            joined (the drawings are pooled then).
        sources: names of the files and folders, for messages; sha256: their hashes by role.
        warnings: what was noticed in reading.
    """

    lesions: tuple[Lesion, ...]
    columns: tuple[str, ...]
    values: np.ndarray
    recipes: Mapping[str, Mapping[str, Any]]
    drawings: Redrawn = field(default_factory=dict)
    stable: tuple[str, ...] | None = None
    sources: tuple[str, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def readers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for lesion in self.lesions for name in lesion.readers))

    @property
    def facts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for lesion in self.lesions for name in lesion.facts))
