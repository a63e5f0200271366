"""What speaks against believing a model, found in the data and said in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from bonequant.radiomics.model.honest import HonestRun
from bonequant.radiomics.model.paper import WARNING, PaperRun
from bonequant.radiomics.model.pipeline import Fitted
from bonequant.radiomics.model.settings import ModelSettings
from bonequant.radiomics.model.table import Cohort
from bonequant.statistics.compare_groups import compare_table

EVENTS_PER_FEATURE = 10  # Peduzzi et al., J Clin Epidemiol 1996;49:1373


def cohort_cautions(
    cohort: Cohort, settings: ModelSettings, *, grouped: bool, runs: Sequence[PaperRun]
) -> tuple[str, ...]:
    """Of the lesions, whatever the model."""
    found = []
    if not grouped:
        found.append(
            "No patients were given: each lesion counts as a patient of its own. If some patients have several "
            "lesions, the estimates are too optimistic and the intervals too narrow."
        )
    positive, negative = (set(cohort.patients[cohort.labels == value].tolist()) for value in (True, False))
    both = len(positive & negative)
    if grouped and both:
        found.append(f"{both} patient(s) have lesions of both classes; each stays within one fold.")
    if runs:
        found.append(WARNING)
        if runs[0].straddling:
            found.append(f"{runs[0].straddling} patient(s) have lesions in both parts of paper mode's split.")
    if cohort.dropped:
        found.append(f"{len(cohort.dropped)} column(s) could not be used (missing or constant values); see dropped.")
    if cohort.centres is not None and len(set(cohort.centres)) > 1:
        found += _centre_cautions(cohort, settings)
    return tuple(found)


def model_cautions(fitted: Fitted, cohort: Cohort, honest: HonestRun | None) -> tuple[str, ...]:
    """Of one model: its own notes, too many features for the lesions, and what befell how many folds."""
    found = list(fitted.notes)
    rarer = int(min(cohort.labels.sum(), (~cohort.labels).sum()))
    count = len(fitted.selected)
    if count and rarer / count < EVENTS_PER_FEATURE:
        found.append(
            f"{rarer / count:.1f} lesions of the rarer class per feature of the model, fewer than "
            f"{EVENTS_PER_FEATURE}: the coefficients are uncertain and probably too large"
        )
    if honest is not None:
        told = Counter(note for record in honest.records for note in record.notes)
        found += [f"in {times} of {len(honest.records)} folds: {note}" for note, times in told.items()]
    return tuple(found)


def _centre_cautions(cohort: Cohort, settings: ModelSettings) -> list[str]:
    centres = np.array(cohort.centres)
    members = [cohort.labels[centres == name] for name in np.unique(centres)]
    p_value = compare_table([[int((~part).sum()), int(part.sum())] for part in members]).p_value
    if not p_value < 0.05:
        return []
    effect = "centre may pass for class"
    if settings.harmonise:
        effect = "ComBat takes away part of what sets the classes apart"
    return [f"The classes are spread unevenly over the centres (p = {p_value:.2g}): {effect}."]
