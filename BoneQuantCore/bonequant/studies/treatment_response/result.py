"""What the response job returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bonequant.provenance import Provenance
from bonequant.response import Call
from bonequant.roi import HealthyVertebra
from bonequant.studies.dce_perfusion import DceResult
from bonequant.studies.treatment_response.alignment import Alignment
from bonequant.studies.treatment_response.images import ImageFindings
from bonequant.studies.treatment_response.inputs import DateInputs, ResponseInputs
from bonequant.studies.treatment_response.lesions import Lesion, Outline
from bonequant.studies.treatment_response.perfusion import Perfusion
from bonequant.studies.treatment_response.settings import ResponseSettings
from bonequant.studies.treatment_response.sizes import Size
from bonequant.volume import Volume

Key = tuple[str, int]  # tracking id, index of the date


@dataclass(frozen=True, eq=False)
class ResponseResult:
    """All dates compared; the first is the baseline.

    Attributes:
        anatomies: per date the role and image by which it was aligned.
        dce: per date the DCE job's result, None where there was no DCE series.
        lesions: over all dates, by tracking id.
        references: outlines of the healthy vertebra, per lesion one per date.
        proposals: by tracking id, where the program proposed the vertebra.
        perfusion, reference_perfusion: by lesion and date.
        sizes: by lesion and date.
        vp_calls: per later date the DCE Vp calls of the lesions; patient_calls: of the patient from them.
        images: lesions in further images.
        other_calls: (subject, call) of every other criterion that was judged.
        rows: the table of lesions, one row per lesion and date.
    """

    settings: ResponseSettings
    inputs: ResponseInputs
    anatomies: tuple[tuple[str, Volume], ...]
    alignment: Alignment
    dce: tuple[DceResult | None, ...]
    lesions: tuple[Lesion, ...]
    references: Mapping[str, tuple[Outline, ...]]
    proposals: Mapping[str, HealthyVertebra]
    perfusion: Mapping[Key, Perfusion]
    reference_perfusion: Mapping[Key, Perfusion]
    sizes: Mapping[Key, Size]
    vp_calls: Mapping[int, Mapping[str, Call]]
    patient_calls: Mapping[int, Call]
    images: ImageFindings
    other_calls: tuple[tuple[str, Call], ...]
    rows: tuple[dict[str, Any], ...]
    provenance: Provenance
    warnings: tuple[str, ...] = ()

    @property
    def dates(self) -> Sequence[DateInputs]:
        return self.inputs.dates

    @property
    def call(self) -> Call | None:
        """The patient's DCE Vp call at the last date; None where no date pair has DCE."""
        return self.patient_calls[max(self.patient_calls)] if self.patient_calls else None

    @property
    def call_rows(self) -> list[dict[str, Any]]:
        """One row per call of any criterion: subject, date, criterion, category, direction, rule, flags."""
        rows = []
        for k, calls in self.vp_calls.items():
            for name, call in {**calls, "patient": self.patient_calls[k]}.items():
                rows.append(_row(self.label_of(name), self.dates[k].name, call))
        for subject, call in self.other_calls:
            rows.append(_row(subject, "", call))
        return rows

    def label_of(self, tracking_id: str) -> str:
        return next((one.label for one in self.lesions if one.tracking_id == tracking_id), tracking_id)


def _row(subject: str, date: str, call: Call) -> dict[str, Any]:
    return {
        "subject": subject,
        "date": date,
        "criterion": call.criterion,
        "category": call.category,
        "direction": call.direction,
        "rule": call.rule,
        "flags": list(call.flags),
        "warnings": list(call.warnings),
    }
