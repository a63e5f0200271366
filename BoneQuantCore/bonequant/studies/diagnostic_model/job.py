"""The training job: classes, stable features, models judged honestly (and as published), readers, group statistics."""

from __future__ import annotations

import dataclasses

import numpy as np

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress, part_of
from bonequant.provenance import Provenance
from bonequant.radiomics import evaluate
from bonequant.radiomics.model.table import SEPARATOR, modality_of
from bonequant.studies.diagnostic_model.card import shows_nothing
from bonequant.studies.diagnostic_model.classes import calls_of, classes_of
from bonequant.studies.diagnostic_model.group_facts import compare_facts
from bonequant.studies.diagnostic_model.inputs import TrainingInputs
from bonequant.studies.diagnostic_model.readers import agreement_of, reader_evidence
from bonequant.studies.diagnostic_model.result import DiagnosticResult
from bonequant.studies.diagnostic_model.settings import DiagnosticSettings
from bonequant.studies.diagnostic_model.stable_columns import stable_columns


def run(
    inputs: TrainingInputs, settings: DiagnosticSettings | None = None, progress: Progress | None = None
) -> DiagnosticResult:
    """Train and judge one model per image and a combined one.

    Raises:
        InputError: one class only, fewer patients of a class than folds, no usable feature, a reader's call that is
            no call.
        SettingsError: the positive label is not in the table.
    """
    settings, report = DiagnosticSettings.of(settings), progress or no_progress
    warnings = list(inputs.warnings)
    if settings.model.mode == "paper":
        settings = dataclasses.replace(settings, model=dataclasses.replace(settings.model, mode="both"))
        warnings.append("Paper mode was asked for; honest mode was run beside it, for the former cannot stand alone.")
    columns, unstable, remark = _offered(inputs, settings)
    warnings += remark
    inputs, columns, values, remark = _complete(inputs, columns)
    warnings += remark
    positive, negative, labels = classes_of(inputs.lesions, settings.positive)
    calls = [calls_of(name, inputs.lesions, (positive, negative), settings) for name in inputs.readers]
    for said in calls:
        if said.graded and said.called is None:
            warnings.append(
                f"{said.reader} gave grades {said.grades.min():g} to {said.grades.max():g} and no cut-off was set: no "
                "sensitivity and specificity. Say from which grade a lesion counts: reader_positive_from."
            )
    patients = [lesion.patient for lesion in inputs.lesions] if inputs.lesions[0].patient else None
    centres = [lesion.centre for lesion in inputs.lesions] if inputs.lesions[0].centre else None
    models = evaluate(
        values,
        labels,
        patients,
        settings.model,
        names=columns,
        centres=centres,
        sets=_sets(columns, settings),
        extraction=inputs.recipes or None,
        positive_class=positive,
        progress=part_of(report, 0.02, 0.95),
    )
    warnings += [
        f"{name}: its AUC was not shown to lie above 0.5, so nothing was found."
        for name, model in models.models.items()
        if shows_nothing(model.performance.auc)
    ]
    report(0.96, "Readers and groups")
    level = settings.model.confidence
    return DiagnosticResult(
        inputs=inputs,
        settings=settings,
        positive=positive,
        negative=negative,
        labels=labels,
        columns=columns,
        values=values,
        unstable=unstable,
        models=models,
        readers=tuple(reader_evidence(said, models, patients is not None, level) for said in calls),
        agreement=agreement_of(calls, level),
        facts=compare_facts(inputs.lesions, labels, inputs.facts),
        warnings=tuple(dict.fromkeys([*warnings, *models.warnings])),
        provenance=Provenance("diagnostic_model", dict(inputs.sha256), settings.to_dict()),
    )


def _sets(columns: tuple[str, ...], settings: DiagnosticSettings) -> dict[str, str] | None:
    """A single image's model bears its name; evaluate names all others."""
    images = {modality_of(name) for name in columns}
    if len(images) > 1 or "" in images or settings.model.sets:
        return None
    return {image: image + SEPARATOR for image in images}


def _offered(
    inputs: TrainingInputs, settings: DiagnosticSettings
) -> tuple[tuple[str, ...], tuple[str, ...] | None, list[str]]:
    """Columns offered to the models, those left out as unstable, and how that was known."""
    if not settings.stable_only:
        return inputs.columns, None, []
    stable, how = stable_columns(inputs, settings.stability)
    kept = tuple(name for name in inputs.columns if name in stable)
    if not kept:
        raise InputError(f"None of the {len(inputs.columns)} features is stable ({how}). Leave stable_only off.")
    gone = tuple(name for name in inputs.columns if name not in stable)
    return kept, gone, [f"{len(gone)} of {len(inputs.columns)} features are not stable and were left out: {how}."]


def _complete(
    inputs: TrainingInputs, columns: tuple[str, ...]
) -> tuple[TrainingInputs, tuple[str, ...], np.ndarray, list[str]]:
    """Leave out lesions that lack one image altogether: they would take all its features away from the others.

    An image that no lesion has stays, for evaluate to say so.
    """
    at = {name: index for index, name in enumerate(inputs.columns)}
    values = inputs.values[:, [at[name] for name in columns]]
    images = np.array([modality_of(name) for name in columns])
    lacking = np.zeros(len(values), dtype=bool)
    said = []
    for image in dict.fromkeys(images.tolist()):
        without = np.isnan(values[:, images == image]).all(axis=1)
        if without.any() and not without.all():
            lacking |= without
            said.append(f"{int(without.sum())} have no feature of {image or 'the image'}")
    if not lacking.any():
        return inputs, columns, values, []
    kept = tuple(lesion for lesion, gone in zip(inputs.lesions, lacking.tolist(), strict=True) if not gone)
    if not kept:
        raise InputError(f"No lesion has features of every image ({', '.join(said)}).")
    remark = f"{int(lacking.sum())} of {len(lacking)} lesions were left out: {', '.join(said)}."
    return (
        dataclasses.replace(inputs, lesions=kept, values=inputs.values[~lacking]),
        columns,
        values[~lacking],
        [remark],
    )
