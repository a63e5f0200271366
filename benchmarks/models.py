"""Whether models can be believed: ``python -m benchmarks models``.

Null cohorts (192 lesions, 132 patients, 279 features of noise): honest mode must find nothing; beside it what paper
mode finds. Planted cohorts (CT texture, SPECT uptake; MaZda features of simulated images): both must find them, and the
combined model must beat each single one. With the time that each takes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np
from bonequant.phantom import LesionCohort, LesionCohortSettings, null_features, simulate_lesion_cohort
from bonequant.radiomics import MazdaSettings, ModelReport, ModelSettings, RadiomicsSettings, evaluate, extract_many

# MaZda's normalisation takes a lesion's uptake away, so SPECT is taken as it is, in SUV.
EXTRACTION = {"CT": RadiomicsSettings(), "SPECT": RadiomicsSettings(mazda=MazdaSettings(normalisation="none"))}


def mazda_table(cohort: LesionCohort) -> dict[str, list[float]]:
    """MaZda's features of every lesion on both images."""
    cases = {
        "CT": [(case.ct, case.ct_mask) for case in cohort.cases],
        "SPECT": [(case.spect, case.spect_mask) for case in cohort.cases],
    }
    found = {modality: extract_many(regions, EXTRACTION[modality]) for modality, regions in cases.items()}
    return {f"{modality}:{name}": [row[name] for row in rows] for modality, rows in found.items() for name in rows[0]}


def null_cohorts(seeds: int, settings: ModelSettings) -> None:
    rows, seconds = [], []
    print(f"null cohorts, lambda {settings.lambda_rule}")
    print(f"{'seed':>6}{'honest':>9}{'in folds':>10}{'paper, 30 %':>13}{'paper, CV':>11}{'selected':>10}")
    for seed in range(seeds):
        cohort = null_features(seed=seed)
        start = time.perf_counter()
        found = evaluate(cohort.x, cohort.labels, cohort.patients, settings, names=cohort.names)["all features"]
        seconds.append(time.perf_counter() - start)
        assert found.honest is not None and found.paper is not None
        row = [
            found.honest.performance.auc.auc,
            found.honest.run.auc_within_folds,
            found.paper.validation.auc.auc,
            found.paper.cross_validated.auc.auc,
            len(found.paper.run.fitted.selected),
        ]
        rows.append(row)
        print(f"{seed:>6}{row[0]:>9.3f}{row[1]:>10.3f}{row[2]:>13.3f}{row[3]:>11.3f}{row[4]:>10}", flush=True)
    table = np.array(rows)
    mean = table.mean(axis=0)
    print(f"{'mean':>6}{mean[0]:>9.3f}{mean[1]:>10.3f}{mean[2]:>13.3f}{mean[3]:>11.3f}{mean[4]:>10.1f}")
    some = table[table[:, 4] > 0]
    if len(some):
        part = some.mean(axis=0)
        print(f"where paper mode selected features ({len(some)}): honest {part[0]:.3f}, paper's CV {part[3]:.3f}")
    print(f"one cohort, both modes: {np.median(seconds):.1f} s (median)")


def planted_cohorts(seeds: int, settings: ModelSettings) -> None:
    print(f"\nplanted cohorts, lambda {settings.lambda_rule}: 192 lesions, 132 patients, MaZda on CT and SPECT")
    print(f"{'seed':>6} {'model':<10}{'best':>7}{'honest':>8}{'95 % interval':>16}{'paper, 30 %':>13}", end="")
    print(f"{'selected':>10}{'slope':>7}{'Brier':>7}")
    wins = 0
    for seed in range(seeds):
        cohort = simulate_lesion_cohort(LesionCohortSettings(lesions=192, patients=132, seed=seed))
        table = mazda_table(cohort)
        start = time.perf_counter()
        report = evaluate(table, cohort.labels, cohort.patients, settings, extraction=EXTRACTION)
        seconds = time.perf_counter() - start
        show(seed, cohort, report)
        auc = {name: found.performance.auc.auc for name, found in report.models.items()}
        wins += auc["combined"] > max(auc["CT"], auc["SPECT"])
        against = [
            f"{pair.first} p = {pair.result.p_value:.2g}" for pair in report.comparisons if pair.second[0] == "c"
        ]
        print(f"       combined against {', '.join(against)}; three models, both modes: {seconds:.1f} s", flush=True)
    print(f"the combined model beats each single one in {wins} of {seeds} cohorts")


def show(seed: int, cohort: LesionCohort, report: ModelReport) -> None:
    for name, found in report.models.items():
        seen, paper = found.performance, found.paper
        assert paper is not None
        low, high = seen.auc.ci
        print(
            f"{seed:>6} {name:<10}{cohort.best_auc[name]:>7.3f}{seen.auc.auc:>8.3f}{f'{low:.3f} to {high:.3f}':>16}"
            f"{paper.validation.auc.auc:>13.3f}{len(found.fitted.selected):>10}{seen.calibration.slope:>7.2f}"
            f"{seen.brier.value:>7.3f}"
        )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks models", description=__doc__.splitlines()[0])
    parser.add_argument("--null-seeds", type=int, default=20)
    parser.add_argument("--planted-seeds", type=int, default=3)
    parser.add_argument("--rule", choices=("min", "1se"), default="min", help="lambda.min or lambda.1se")
    options = parser.parse_args(argv)
    settings = ModelSettings(mode="both", lambda_rule=options.rule)
    if options.null_seeds:
        null_cohorts(options.null_seeds, settings)
    if options.planted_seeds:
        planted_cohorts(options.planted_seeds, settings)
    return 0
