"""Settings of the training job."""

from __future__ import annotations

from dataclasses import dataclass

from bonequant.errors import SettingsError
from bonequant.radiomics import ModelSettings, StabilitySettings
from bonequant.settings import Settings, setting


@dataclass(frozen=True)
class TrainingModelSettings(ModelSettings):
    """The model's settings with lambda.1se: fewer features, and a better honest AUC and calibration in validation."""

    lambda_rule: str = setting(
        "1se",
        choices=("min", "1se"),
        help="1se: largest lambda within one standard error of the smallest cross-validated deviance. min: the "
        "smallest itself, as published; more features, overconfident.",
    )


@dataclass(frozen=True)
class DiagnosticSettings(Settings):
    """Settings of :func:`bonequant.studies.diagnostic_model.run`.

    ``model.mode`` "paper" is carried out as "both": the published order never stands without the honest estimate.
    """

    positive: str = setting("metastasis", help="The label that is looked for, as the table writes it.")
    stable_only: bool = setting(False, help="Offer only features that survive redrawing, by readings.csv.")
    stability: StabilitySettings = setting(StabilitySettings)
    model: TrainingModelSettings = setting(TrainingModelSettings)
    prevalences: tuple[float, ...] = setting(
        (0.1, 0.3, 0.5), low=0.001, high=0.999, help="Predictive values are also given at these prevalences."
    )
    reader_positive_from: float | None = setting(
        None, help="Readers' grade from which a lesion counts as called positive; not needed for calls in words or 0/1."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.positive.strip():
            raise SettingsError("DiagnosticSettings.positive is empty: name the label that is looked for.")
