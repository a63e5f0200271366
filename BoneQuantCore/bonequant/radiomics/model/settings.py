"""Settings of the diagnostic model: how features are filtered and selected, and how the model is judged."""

from __future__ import annotations

from dataclasses import dataclass

from bonequant.settings import Settings, setting


@dataclass(frozen=True)
class ModelSettings(Settings):
    """Defaults: paper 3's steps (z-score, |r| > 0.9, LASSO by 10-fold deviance, logistic regression), judged honestly.

    ``mode``: "honest" repeats every step inside each outer fold (nested cross-validation, whole patients in one fold);
    "paper" selects on all lesions and validates afterwards on the same lesions, as was published; "both" does both.
    """

    mode: str = setting(
        "honest",
        choices=("honest", "paper", "both"),
        help="honest: all steps inside each fold. paper: select on all lesions, then split 7:3 (too optimistic).",
    )
    sets: tuple[str, ...] = setting(
        (),
        help="Models side by side: name=prefix of their columns (CT=CT:). By default one for each prefix that ends in "
        "a colon, where all columns have one, otherwise one of all columns. Two and more give a combined one too.",
    )
    correlation_cutoff: float = setting(
        0.9, low=0.0, high=1.0, help="Of two features with |r| above this one is left out."
    )
    correlation_exact: bool = setting(True, help="Renew the mean |r| after each removal (caret's exact = TRUE).")
    folds: int = setting(10, low=2, high=50, help="Outer folds, by patient: the folds that judge the model.")
    lasso_folds: int = setting(10, low=2, high=50, help="Folds that choose the LASSO's lambda.")
    lambda_rule: str = setting(
        "min",
        choices=("min", "1se"),
        help="min: smallest cross-validated deviance. 1se: largest lambda within one standard error of it.",
    )
    lambda_count: int = setting(100, low=2, high=1000, help="Values of lambda on the path, evenly in the logarithm.")
    lambda_min_ratio: float | None = setting(
        None, low=1e-6, high=0.99, help="Smallest over largest lambda; by default 0.01, or 0.0001 with n >= p."
    )
    harmonise: bool = setting(False, help="ComBat by centre, estimated inside each fold.")
    train_share: float = setting(0.7, low=0.3, high=0.9, help="Paper mode: share of the lesions that trains.")
    confidence: float = setting(0.95, low=0.5, high=0.999, help="Level of every interval.")
    resamples: int = setting(1000, low=50, high=100000, help="Draws of whole patients for the bootstrap intervals.")
    seed: int = setting(0, low=0, help="Seed of folds, split and bootstrap.")
