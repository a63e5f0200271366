"""Small tables of features with planted effects, shared by the tests of this folder."""

from __future__ import annotations

import numpy as np
from bonequant.radiomics import ModelSettings

QUICK = ModelSettings(folds=4, lasso_folds=4, lambda_count=30, resamples=60)


def two_modalities(lesions: int = 120, patients: int = 80, effect: float = 1.3, seed: int = 0, noise: int = 6):
    """Columns CT:a and SPECT:a carry independent effects, the others nothing; returns table, labels, patients."""
    random = np.random.default_rng(seed)
    owner = np.sort(np.concatenate([np.arange(patients), random.integers(0, patients, lesions - patients)]))
    labels = random.random(lesions) < 0.5
    table = {}
    for modality in ("CT", "SPECT"):
        table[f"{modality}:a"] = random.normal(size=lesions) + effect * labels
        for at in range(noise):
            table[f"{modality}:noise{at}"] = random.normal(size=lesions)
    return table, labels, owner
