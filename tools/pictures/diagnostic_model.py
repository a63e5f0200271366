"""Pictures of diagnostic models in Docs, of the simulated cohort: ``python tools/pictures/diagnostic_model.py``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from bonequant.phantom import LesionCohortSettings
from bonequant.radiomics import predict
from bonequant.report.feature_plots import class_heatmap, contributions
from bonequant.report.performance_plots import roc_curves
from bonequant.report.selection_plots import lasso_plot
from bonequant.studies import diagnostic_model as job

PICTURES = Path(__file__).resolve().parents[2] / "Docs" / "pictures"


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "cohort"
        job.simulate_cohort_files(folder, LesionCohortSettings(lesions=160, patients=112, seed=1))
        inputs = job.read_inputs(folder / "features", folder / "labels.csv")
        settings = job.DiagnosticSettings(stable_only=True, reader_positive_from=4.0)
        result = job.run(inputs, settings)
    models, combined = result.models.models, result.models["combined"]
    kept = combined.fitted.selected
    values = result.of_columns(kept)
    z = (values - values.mean(axis=0)) / values.std(axis=0)
    readers = {
        reader.name: (reader.confusion.sensitivity.value, reader.confusion.specificity.value)
        for reader in result.readers
        if reader.confusion is not None
    }
    lesion = int(np.argmin(np.abs(combined.performance.predicted - 0.7)))  # one with arguments on both sides
    features = dict(zip(result.columns, result.values[lesion].tolist(), strict=True))
    words = (result.positive, result.negative)
    assert combined.fitted.lasso is not None
    pictures = {
        "model_roc": roc_curves({n: (m.performance.roc, m.performance.auc) for n, m in models.items()}, readers),
        "model_lasso": lasso_plot(combined.fitted.lasso, combined.fitted.filtered, "1se", "combined"),
        "model_heatmap": class_heatmap(z, kept, result.labels, combined.performance.predicted, words),
        "model_contributions": contributions(predict(combined.model, features, result.inputs.recipes)),
    }
    for name, png in pictures.items():
        (PICTURES / f"{name}.png").write_bytes(png)
        print(name, len(png) // 1024, "kB")


if __name__ == "__main__":
    main()
