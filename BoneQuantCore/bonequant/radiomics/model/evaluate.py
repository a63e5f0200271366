"""Build and judge diagnostic models from a table of features: the public entry.

report = evaluate({"CT:Mean": [...], "SPECT:Mean": [...]}, labels, groups=patients)
report["combined"].performance.auc, report["CT"].fitted.selected
report["combined"].model.save("model.json")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bonequant.errors import InputError, SettingsError
from bonequant.progress import Progress, part_of
from bonequant.provenance import versions
from bonequant.radiomics.model.cautions import cohort_cautions, model_cautions
from bonequant.radiomics.model.describe_model import describe_model
from bonequant.radiomics.model.evidence import compare, judge
from bonequant.radiomics.model.honest import judge_honestly, outer_folds
from bonequant.radiomics.model.model_file import INTENDED_USE, extraction_by_modality
from bonequant.radiomics.model.paper import PaperRun, judge_as_published
from bonequant.radiomics.model.pipeline import fit_model
from bonequant.radiomics.model.report import HonestEvidence, ModelEvidence, ModelReport, PaperEvidence
from bonequant.radiomics.model.scaling import probability
from bonequant.radiomics.model.settings import ModelSettings
from bonequant.radiomics.model.table import Cohort, Sets, feature_sets, read_cohort
from bonequant.settings import Settings
from bonequant.statistics.checks import Integers


def evaluate(
    table: Any,
    labels: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    settings: ModelSettings | Mapping[str, Any] | None = None,
    *,
    names: Sequence[str] | None = None,
    sets: Sets | None = None,
    centres: Sequence[Any] | None = None,
    extraction: Settings | Mapping[str, Any] | None = None,
    positive_class: str = "metastasis",
    intended_use: str = INTENDED_USE,
    progress: Progress | None = None,
) -> ModelReport:
    """Filter, select, fit and judge a model for each feature set, side by side on the same folds.

    Args:
        table: N lesions by P features: a mapping of column name to N values, a DataFrame, a list of N mappings
            (what ``extract`` returns), or an array (N, P) with ``names``, by default feature_1, feature_2 ...
        labels: N of 0/1, 1 the ``positive_class``.
        groups: N patients; lesions of one patient never stand on both sides of a fold. Without them each lesion counts
            as a patient of its own, which the report says.
        settings: see ModelSettings; ``settings.mode`` chooses honest or paper mode, or both.
        sets: the models wanted: name to a prefix of columns, or to the columns. By default one for each prefix that
            ends in a colon ("CT:", "SPECT:") and a combined one; without such prefixes one of all columns.
        centres: N centres, for ComBat (``settings.harmonise``) and for warnings.
        extraction: how the features were extracted, one Settings or a mapping of modality to them; kept with the model,
            so that ``predict`` can refuse other ones.

    Raises:
        InputError: one class only, fewer patients of a class than folds, lengths that differ, columns that are not
            numbers, no usable feature. What can be used is not refused: missing and constant columns are left out
            with the reason, a patient in both classes stays and is told of.
        Cancelled: raised by ``progress``.
    """
    settings = _settings(settings)
    cohort = read_cohort(table, labels, groups, names=names, centres=centres)
    if settings.harmonise and centres is None:
        raise InputError("ComBat needs the centre of each lesion: give centres, or leave harmonise off.")
    chosen = feature_sets([*cohort.names, *cohort.dropped], settings, sets)
    usable = {name: [column for column in columns if column not in cohort.dropped] for name, columns in chosen.items()}
    for name, columns in usable.items():
        if not columns:
            raise InputError(f"Feature set {name!r}: all its {len(chosen[name])} columns are missing or constant.")
    # Checked before anything is fitted, in paper mode too: its folds are by lesion, and there are never fewer of those.
    fold = outer_folds(cohort, settings)

    models = {}
    for at, (name, columns) in enumerate(usable.items()):
        part = part_of(progress, at / len(usable), (at + 1) / len(usable))
        models[name] = _model(
            name,
            columns,
            cohort,
            fold,
            settings,
            extraction=extraction_by_modality(extraction),
            positive_class=positive_class,
            intended_use=intended_use,
            grouped=groups is not None,
            progress=part,
        )
    out_of_fold = {name: found.honest.run.predicted for name, found in models.items() if found.honest}
    validation = {name: found.paper.validation.predicted for name, found in models.items() if found.paper}
    runs = [found.paper.run for found in models.values() if found.paper]
    held_out = ~runs[0].train if runs else cohort.labels
    return ModelReport(
        settings=settings,
        models=models,
        comparisons=compare(cohort.labels, out_of_fold, cohort.patients, settings),
        paper_comparisons=compare(cohort.labels[held_out], validation, None, settings),
        labels=cohort.labels,
        patients=cohort.patients,
        n_lesions=len(cohort.labels),
        n_patients=int(cohort.patients.max()) + 1,
        n_positive=int(cohort.labels.sum()),
        dropped=cohort.dropped,
        warnings=cohort_cautions(cohort, settings, grouped=groups is not None, runs=runs),
        versions=versions(),
    )


def _settings(given: ModelSettings | Mapping[str, Any] | None) -> ModelSettings:
    if given is None or isinstance(given, ModelSettings):
        return given or ModelSettings()
    if isinstance(given, Mapping):
        return ModelSettings.from_dict(dict(given))
    raise SettingsError(f"The settings of a model are ModelSettings, not {type(given).__name__}.")


def _model(
    name: str,
    columns: list[str],
    cohort: Cohort,
    fold: Integers,
    settings: ModelSettings,
    *,
    extraction: dict[str, Any],
    positive_class: str,
    intended_use: str,
    grouped: bool,
    progress: Progress,
) -> ModelEvidence:
    """The model of one feature set, fitted on all lesions, with its evidence."""
    rows, labels = np.arange(len(cohort.labels)), cohort.labels
    x = cohort.columns(columns)
    honest = paper = None
    if settings.mode != "honest":
        progress(0.0, f"{name}: the published order")
        paper = _paper(judge_as_published(cohort, columns, settings), cohort, settings)
    progress(0.05, f"{name}: all lesions")
    if paper is not None and settings.mode == "paper":
        fitted = paper.run.fitted
    else:
        fitted = fit_model(x, columns, labels, cohort.patients, cohort.centres, settings, settings.seed)
        run = judge_honestly(cohort, columns, fold, settings, part_of(progress, 0.1, 0.95))
        judged = judge(rows, labels, run.predicted, cohort.patients, settings, resampled=True)
        honest = HonestEvidence(judged, run, run.selection_frequency)
    apparent = judge(rows, labels, probability(fitted.log_odds(x, cohort.centres)), cohort.patients, settings)
    warnings = model_cautions(fitted, cohort, honest.run if honest else None)
    progress(1.0, f"{name}: done")
    return ModelEvidence(
        name=name,
        features=tuple(columns),
        fitted=fitted,
        model=describe_model(
            name,
            fitted,
            cohort,
            settings,
            honest=honest,
            paper=paper,
            extraction=extraction,
            positive_class=positive_class,
            intended_use=intended_use,
            grouped=grouped,
            warnings=warnings,
        ),
        apparent=apparent,
        honest=honest,
        paper=paper,
        warnings=warnings,
    )


def _paper(run: PaperRun, cohort: Cohort, settings: ModelSettings) -> PaperEvidence:
    """The published order judged as published: each lesion for itself."""
    labels = cohort.labels
    train, rest = np.flatnonzero(run.train), np.flatnonzero(~run.train)
    return PaperEvidence(
        train=judge(train, labels[train], run.split_predicted[train], None, settings),
        validation=judge(rest, labels[rest], run.split_predicted[rest], None, settings),
        cross_validated=judge(np.arange(len(labels)), labels, run.cv_predicted, None, settings),
        run=run,
    )
