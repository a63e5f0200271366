"""METRICS and CLEAR sheets, filled where the program knows the answer and left to the authors where it does not.

The program claims only what it did. It gives no score: most of the weight lies on the authors' part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bonequant
from bonequant.studies.diagnostic_model.checklist_items import CLEAR, METRICS
from bonequant.studies.diagnostic_model.result import DiagnosticResult
from bonequant.studies.diagnostic_model.texts import ends

AUTHORS = "to be filled by the authors"
_SHARED = f"whether it is shared: {AUTHORS}"
_IBSI = (
    "BoneQuant's own IBSI-1 processing with pyradiomics' feature classes and own MaZda features; identifier and status "
    "of every feature are in features.csv and the models' files"
)


def sheet_rows(result: DiagnosticResult) -> list[dict[str, Any]]:
    """One row per item: sheet, number, section, what is asked, the answer, and who gave it."""
    answers = _answers(result)
    rows = []
    for sheet, sections, numbered in (("METRICS", METRICS, _METRICS), ("CLEAR", CLEAR, _CLEAR)):
        number = 0
        for section, items in sections.items():
            for item in items:
                number += 1
                answer = answers.get(numbered.get(number, ""), "")
                rows.append(
                    {
                        "sheet": sheet,
                        "item": number,
                        "section": section,
                        "asked": item,
                        "answer": answer or AUTHORS,
                        "answered_by": "program" if answer else "authors",
                    }
                )
    return rows


# Number of the item to the answer that serves it.
_METRICS = {
    4: "centres", 8: "outlines", 11: "processing", 12: "software", 13: "parameters", 14: "stability", 15: "redundancy",
    16: "dimension", 17: "no_network", 18: "partition", 19: "confounders", 20: "metrics", 21: "uncertainty",
    22: "calibration", 23: "single", 24: "readers", 25: "simple", 26: "internal", 27: "external", 29: "code",
    30: "model",
}  # fmt: skip
_CLEAR = {
    12: "pipeline", 15: "partition", 17: "facts", 18: "label", 19: "outlines", 21: "processing", 22: "resampling",
    23: "discretisation", 24: "image_types", 25: "software", 26: "classes", 27: "count", 28: "parameters",
    29: "missing", 30: "balance", 31: "stability", 32: "scaling", 33: "redundancy", 34: "simple", 35: "tuning",
    36: "confounders", 37: "choice", 38: "testing", 39: "metrics", 40: "uncertainty", 41: "tests", 42: "readers",
    43: "understood", 44: "baseline", 46: "selection", 47: "performance", 48: "readers", 55: "recipe_file",
    56: "code", 57: "model", 58: "code",
}  # fmt: skip


def _answers(result: DiagnosticResult) -> dict[str, str]:
    """Answers by name; an empty one is left to the authors."""
    s, models = result.settings.model, result.models
    last = list(models.models.values())[-1]
    centres = sorted({lesion.centre for lesion in result.inputs.lesions} - {""})
    found = last.performance
    names = ", ".join(models.models)
    by_patient = "whole patients" if result.grouped else "lesions (patients were not named)"
    ratio = min(models.n_positive, models.n_lesions - models.n_positive)
    return {
        "centres": f"{len(centres)} centre(s) are named in the labels" if centres else "",
        "outlines": "lesions drawn or adjusted by the user on one image, carried to the other by the alignment, with "
        "the way of each in measurements.csv; who drew them: " + AUTHORS if result.inputs.recipes else "",
        "software": _IBSI if result.inputs.recipes else "",
        "parameters": "all extraction settings, defaults included, are in features.json and the models' files"
        if result.inputs.recipes
        else "",
        **_extraction(result.inputs.recipes),
        "stability": f"{len(result.unstable)} of {len(result.inputs.columns)} features left out by ICC("
        f"{result.settings.stability.icc_form}) under {result.settings.stability.threshold:g} over redrawn "
        "lesions, without a look at the labels"
        if result.unstable is not None
        else "no: the filter by redrawing (stable_only) was not used",
        "redundancy": f"of pairs with |r| > {s.correlation_cutoff:g} one goes, then LASSO (lambda.{s.lambda_rule})",
        "dimension": f"{len(last.fitted.selected)} features of {last.name} for {ratio} lesions of the rarer class",
        "no_network": "not applicable: no deep network",
        "partition": f"nested cross-validation, {s.folds} outer folds of {by_patient}; every step from scaling to "
        "selection is repeated inside each fold",
        "confounders": "ComBat by centre inside each fold" if s.harmonise else "",
        "metrics": "AUC, sensitivity, specificity, accuracy, PPV, NPV, Brier score, calibration, net benefit",
        "uncertainty": f"{100 * s.confidence:g} % intervals: DeLong (clustered by patient), bootstrap over patients, "
        "Wilson",
        "calibration": f"curve, slope {found.calibration.slope:.2f} and intercept {found.calibration.intercept:.2f} of "
        f"{last.name}, Brier score {found.brier.value:.3f}",
        "single": f"models side by side: {names}" if len(models.models) > 1 else "one image alone was used",
        "readers": f"compared with {len(result.readers)} reader(s)" if result.readers else "",
        "simple": "the model itself is a logistic regression on the features that the LASSO kept",
        "internal": f"nested cross-validation of {models.n_lesions} lesions",
        "external": "no: apply the model to another centre's lesions with bonequant predict",
        "testing": "internal, by nested cross-validation; no external test",
        "code": f"BoneQuant {bonequant.__version__} (Apache-2.0) carries out every step: bonequant train, "
        f"bonequant predict; {_SHARED}",
        "model": "a readable file of each feature set, with coefficients, scaling, settings and hash, is made for it; "
        + _SHARED,
        "pipeline": "features, " + ("stability filter, " if result.unstable is not None else "")
        + ("ComBat, " if s.harmonise else "") + "z-score, correlation filter, LASSO, logistic regression",
        "facts": "none: the model holds radiomic features only",
        "label": f"{result.positive} against {result.negative}, as given in the labels; by what standard: {AUTHORS}",
        "count": f"{len(result.inputs.columns)} columns, {len(result.columns)} of them offered to the models",
        "missing": f"{len(models.dropped)} columns with a missing or constant value left out, none filled in",
        "balance": f"{models.n_positive} {result.positive}, {models.n_lesions - models.n_positive} {result.negative}; "
        "folds balanced by class, no resampling",
        "scaling": "z-score with mean and SD of the training lesions of each fold",
        "tuning": f"lambda by {s.lasso_folds}-fold cross-validated deviance (lambda.{s.lambda_rule}) inside each outer "
        f"fold; seed {s.seed}",
        "choice": f"one model per image and a combined one ({names}), all reported" if len(models.models) > 1 else "",
        "tests": "DeLong's test of each pair of models, clustered by patient" if len(models.models) > 1 else "",
        "understood": "coefficients with scaling, boxplots, heatmap; contributions of each feature for a new lesion",
        "baseline": f"{len(result.facts)} fact(s) compared between the classes" if result.facts else "",
        "selection": f"{len(last.fitted.selected)} features of {last.name} kept; selection frequency over folds shown",
        "performance": f"{last.name}: AUC {found.auc.auc:.3f}{ends(found.auc.ci)}, out of fold",
        "recipe_file": f"features.json and settings in result.json are made for it; {_SHARED}"
        if result.inputs.recipes
        else "",
    }  # fmt: skip


def _extraction(recipes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Resampling, discretisation, filters and classes of each image, from the recipes."""
    parts: dict[str, list[str]] = {}
    for image, recipe in recipes.items():
        ibsi, mazda = recipe.get("ibsi"), recipe.get("mazda")
        if mazda:
            scale = {"sigma": "mean ± 3 SD of the lesion", "percentile": "1 to 99 %", "none": "the image's own range"}
            levels = scale.get(str(mazda.get("normalisation")), str(mazda.get("normalisation")))
            for name, text in {
                "processing": f"{image}: section of largest area, grey levels over {levels}",
                "discretisation": f"{image}, MaZda: 4, 6 and 8 bit over {levels}",
                "classes": f"{image}: MaZda's six groups",
            }.items():
                parts.setdefault(name, []).append(text)
        if ibsi:
            spacing = " x ".join(f"{value:g}" for value in ibsi.get("spacing_mm", ())) or "as acquired"
            if ibsi.get("discretisation") == "fixed_bin_size":
                bins = f"bins of {ibsi.get('bin_width')} {recipe.get('unit', '')}"
            else:
                bins = f"{ibsi.get('bin_count')} bins"
            for name, text in {
                "processing": f"{image}, IBSI: resampling, resegmentation, discretisation by the recipe",
                "resampling": f"{image}: {spacing} mm, {ibsi.get('interpolation')}",
                "discretisation": f"{image}, IBSI: {bins}",
                "image_types": f"{image}: {', '.join(ibsi.get('image_types', ()))}",
                "classes": f"{image}: {', '.join(ibsi.get('classes', ()))}",
            }.items():
                parts.setdefault(name, []).append(text)
    return {name: "; ".join(texts) for name, texts in parts.items()}
