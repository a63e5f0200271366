"""Readers beside the models, agreement of readers, and what sets the classes apart besides features."""

from __future__ import annotations

import math
from typing import Any

from bonequant.report import Section, Table, Text
from bonequant.report.page import Block
from bonequant.statistics import McNemar
from bonequant.studies.diagnostic_model import tables
from bonequant.studies.diagnostic_model.result import DiagnosticResult
from bonequant.studies.diagnostic_model.texts import ends, p_text, percent


def reader_section(result: DiagnosticResult) -> Section:
    """Accuracy of each reader, tests against each model, kappa between readers."""
    rows: list[dict[str, Any]] = []
    against: list[dict[str, Any]] = []
    for reader in result.readers:
        counts = reader.confusion
        grades = "calls" if not reader.graded else "grades"
        cutoff = "" if math.isnan(reader.called) else f", positive from {reader.called:g}"
        rows.append(
            {
                "reader": reader.name,
                "n": reader.judged,
                "kind": grades + cutoff,
                "auc": f"{reader.auc.auc:.3f}{ends(reader.auc.ci)}" if reader.auc else None,
                **{name: percent(getattr(counts, name)) if counts else None for name in tables.MEASURES},
            }
        )
        for beside in reader.beside:
            against.append(
                {
                    "reader": reader.name,
                    "model": beside.model,
                    "auc": f"{beside.auc.second.auc:.3f}" if beside.auc else None,
                    "difference": f"{beside.auc.difference:+.3f}" if beside.auc else None,
                    "p": p_text(beside.auc.p_value) if beside.auc else None,
                    "sensitivity": _discordant(beside.sensitivity),
                    "specificity": _discordant(beside.specificity),
                }
            )
    columns = {"reader": "Reader", "n": "Lesions", "kind": "Gave", "auc": "AUC"}
    columns |= {"sensitivity": "Sensitivity %", "specificity": "Specificity %", "accuracy": "Accuracy %"}
    columns |= {"ppv": "PPV %", "npv": "NPV %"}
    tests = {
        "reader": "Reader",
        "model": "Model",
        "auc": "Model's AUC",
        "difference": "Reader minus model",
        "p": "P, DeLong",
        "sensitivity": f"{result.positive}: reader alone / model alone right, P",
        "specificity": f"{result.negative}: reader alone / model alone right, P",
    }
    blocks: list[Block] = [
        Table(columns, rows, "Readers on the lesions that they judged."),
        Table(
            tests,
            against,
            "Beside the models, out of fold and at a probability of 0.5. P of the last two columns by McNemar's test, "
            "each lesion for itself.",
        ),
    ]
    if result.agreement:
        pairs = [
            {
                "pair": f"{found.first} – {found.second}",
                "n": found.kappa.n,
                "kappa": f"{found.kappa.value:.3f}{ends(found.kappa.ci)}",
                "observed": 100 * found.kappa.observed,
                "categories": ", ".join(found.categories),
            }
            for found in result.agreement
        ]
        shown = {"pair": "Readers", "n": "Lesions", "kappa": "Weighted kappa", "observed": "Agreement %"}
        shown["categories"] = "Categories"
        blocks.append(Table(shown, pairs, "Agreement beyond chance, linear weights; the agreement is weighted alike."))
    return Section("Beside the readers", blocks)


def fact_section(result: DiagnosticResult) -> Section:
    """Patients and lesions of the two classes."""
    models = result.models
    per_patient = f", of {models.n_patients} patients" if result.grouped else ""
    blocks: list[Block] = [
        Text(
            f"{models.n_lesions} lesions{per_patient}: {models.n_positive} {result.positive}, "
            f"{models.n_lesions - models.n_positive} {result.negative}."
        )
    ]
    if result.facts:
        columns = {
            "fact": "Fact",
            "unit": "Counted",
            "positive": result.positive,
            "negative": result.negative,
            "missing": "Missing",
            "test": "Test",
            "p": "P",
            "rule": "Chosen because",
        }
        rows = [{**row, "p": p_text(row["p_value"])} for row in tables.fact_rows(result)]
        caption = (
            "Mean ± SD and median (quartiles), or counts. A fact that is one and the same for all lesions of a patient "
            "is counted once per patient; those with lesions of both classes belong to neither group."
        )
        blocks.append(Table(columns, rows, caption))
    else:
        blocks.append(Text("No other facts were given; columns such as age and sex in the labels would be compared."))
    return Section("Patients and lesions", blocks)


def _discordant(test: McNemar | None) -> str | None:
    return None if test is None else f"{test.first_only} / {test.second_only}, {p_text(test.p_value)}"
