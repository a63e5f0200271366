"""Settings of the cohort evidence."""

from __future__ import annotations

from dataclasses import dataclass, field

from bonequant.errors import SettingsError
from bonequant.response.compare import ABOVE
from bonequant.settings import Settings, setting


@dataclass(frozen=True)
class CohortSettings(Settings):
    """Cut-offs of percent changes, and how their worth is judged."""

    cutoffs_percent: dict[str, float] = field(
        default_factory=lambda: {"vp": -40.0, "size": -10.0},
        metadata={"unit": "%", "help": "Cut-off of the change of a measure; beyond it the case is called positive."},
    )
    cutoff_operator: str = setting(">", choices=ABOVE, help="Is a change equal to the cut-off a success (>)?")
    positive: str = setting("failure", help="The outcome that is looked for, as the table writes it.")
    primary: str = setting("", help="Measure of the waterfall and spider plots; the first of the table where empty.")
    test_method: str = setting("auto", choices=("auto", "exact", "asymptotic"), help="Rank tests; auto: exact to 100.")
    confidence: float = setting(0.95, low=0.5, high=0.999, help="Level of all intervals.")
    interval: str = setting("wilson", choices=("wilson", "clopper_pearson"), help="Interval of proportions.")
    resamples: int = setting(2000, low=100, high=100000, help="Bootstrap draws for the cut-off's optimism.")
    seed: int = setting(0, low=0, help="Seed of the bootstrap.")

    def __post_init__(self) -> None:
        super().__post_init__()
        bad = [name for name, value in self.cutoffs_percent.items() if not -100 <= value <= 1000]
        if bad:
            raise SettingsError(f"cutoffs_percent.{bad[0]} is {self.cutoffs_percent[bad[0]]}; -100 to 1000 % is due.")
