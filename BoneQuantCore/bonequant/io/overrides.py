"""What a caller may say in place of the file: geometry, unit, modality, a choice among gates, acquisition facts."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bonequant.errors import InputError
from bonequant.io.dicom_values import unit_of
from bonequant.volume import Acquisition
from bonequant.volume.acquisition import IDENTIFYING
from bonequant.volume.types import MODALITIES

GEOMETRY = {
    "image_position_patient": 3,
    "image_orientation_patient": 6,
    "pixel_spacing_mm": 2,
    "spacing_between_slices_mm": 1,
}
FACTS = frozenset(entry.name for entry in dataclasses.fields(Acquisition)) - {"typed", "protocol"}


@dataclass(frozen=True)
class Overrides:
    """Validated keywords of :func:`bonequant.io.load`; None leaves what the file says.

    Attributes:
        image_position_patient: LPS mm of the first pixel of the first slice.
        image_orientation_patient: direction cosines of a row, then of a column.
        pixel_spacing_mm: between rows, between columns (DICOM's order).
        spacing_between_slices_mm: between slice centres; for NM signed along row x column.
        gate: 0-based gate of a gated reconstruction, or "sum".
        window: 0-based energy window or detector of a reconstruction that has several.
        stack: StackID of an enhanced multi-frame object that has several.
        image_type: ImageType value 3 of an NM object that does not say it, e.g. "RECON TOMO".
        modality, unit: of a file that does not say, or says it wrong.
        replace_nan: value to put where voxels are NaN or infinite.
        facts: names and values for :meth:`bonequant.volume.Acquisition.with_typed`.
    """

    image_position_patient: tuple[float, ...] | None = None
    image_orientation_patient: tuple[float, ...] | None = None
    pixel_spacing_mm: tuple[float, ...] | None = None
    spacing_between_slices_mm: float | None = None
    gate: int | str | None = None
    window: int | None = None
    stack: str | None = None
    image_type: str | None = None
    modality: str | None = None
    unit: str | None = None
    replace_nan: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, keywords: Mapping[str, Any]) -> Overrides:
        """Sort the keywords. Raises InputError for a name or a value that cannot be."""
        own = {entry.name for entry in dataclasses.fields(cls)} - {"facts"}
        unknown = sorted(set(keywords) - own - FACTS)
        if unknown:
            close = difflib.get_close_matches(unknown[0], sorted(own | FACTS), n=3)
            hint = f"Did you mean {', '.join(close)}?" if close else f"Known: {', '.join(sorted(own | FACTS))}."
            raise InputError(f"No such keyword: {', '.join(unknown)}. {hint}")
        given = {name: value for name, value in keywords.items() if value is not None}
        for name, count in GEOMETRY.items():
            if name in given:
                given[name] = _numbers(name, given[name], count)
        if "modality" in given and given["modality"] not in MODALITIES:
            raise InputError(f"modality is {given['modality']!r}; choose one of {', '.join(MODALITIES)}.")
        if "unit" in given:
            given["unit"] = _unit(given["unit"])
        return cls(
            **{name: value for name, value in given.items() if name in own},
            facts={name: value for name, value in given.items() if name in FACTS},
        )

    @property
    def typed_geometry(self) -> tuple[str, ...]:
        return tuple(name for name in GEOMETRY if getattr(self, name) is not None)

    def apply_facts(self, acquisition: Acquisition) -> Acquisition:
        """The facts with the caller's in their place; everything typed is listed in ``typed``."""
        acquisition = acquisition.with_typed(**self.facts)
        others = [name for name in ("modality", "unit") if getattr(self, name) is not None]
        typed = tuple(sorted({*acquisition.typed, *self.typed_geometry, *others}))
        return dataclasses.replace(acquisition, typed=typed)

    def contradictions(self, acquisition: Acquisition) -> tuple[str, ...]:
        """Remarks on facts of a file in whose place others were typed; identifiers without their values."""
        typed, found = acquisition.with_typed(**self.facts), []
        for name in sorted(self.facts):
            said, taken = getattr(acquisition, name), getattr(typed, name)
            if said is None or said == taken:
                continue
            hidden = name in IDENTIFYING
            values = "another than the file says" if hidden else f"{taken}; the file says {said}"
            found.append(f"{name} was typed: {values}. What was typed was taken")
        return tuple(found)


def _unit(written: Any) -> str:
    """The unit by the name that it has everywhere here. Raises InputError for a multiple: voxels stay as they are."""
    if not isinstance(written, str):
        raise InputError(f"unit takes a text such as Bq/mL, HU or counts, not {written!r}.")
    unit, factor = unit_of(written)
    if factor != 1.0:
        raise InputError(
            f"unit={written!r}: the voxels would have to be multiplied by {factor:g}; store them in {unit}."
        )
    return unit


def _numbers(name: str, value: Any, count: int) -> Any:
    try:
        parts = tuple(float(part) for part in (value if count > 1 else [value]))
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} takes {count} number{'s' * (count > 1)}, not {value!r}.") from error
    if len(parts) != count or not all(math.isfinite(part) for part in parts):
        raise InputError(f"{name} takes {count} finite number{'s' * (count > 1)}, not {value!r}.")
    return parts if count > 1 else parts[0]
