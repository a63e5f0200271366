"""Settings of the cohort evidence."""

from __future__ import annotations

from dataclasses import dataclass, field

from bonequant.errors import SettingsError
from bonequant.response.compare import ABOVE
from bonequant.settings import Settings, setting

DEFAULT_CUTOFFS_PERCENT = {"vp": -40.0, "size": -10.0}


@dataclass(frozen=True)
class CohortSettings(Settings):
    """Cut-offs of percent changes, and how their worth is judged."""

    cutoffs_percent: dict[str, float | None] = field(
        default_factory=dict,
        metadata={
            "unit": "%",
            "help": "Cut-off of the change of a measure; beyond it the case is called positive. Laid over vp -40 and "
            "size -10; null switches one off.",
        },
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
        # Laid over the defaults, so that --set cutoffs_percent.vp=-20 does not take the one of size away.
        object.__setattr__(self, "cutoffs_percent", DEFAULT_CUTOFFS_PERCENT | self.cutoffs_percent)
        for name, value in self.cutoffs.items():
            if not -100 <= value <= 1000:
                raise SettingsError(f"cutoffs_percent.{name} is {value}; -100 to 1000 % is due.")

    @property
    def cutoffs(self) -> dict[str, float]:
        """Cut-offs that are not switched off."""
        return {name: value for name, value in self.cutoffs_percent.items() if value is not None}

    def check_measures(self, measures: tuple[str, ...]) -> None:
        """Raises SettingsError for a cut-off of what is no measure of the table; a default may go without its own."""
        for name, value in self.cutoffs_percent.items():
            untouched = name in DEFAULT_CUTOFFS_PERCENT and value in (None, DEFAULT_CUTOFFS_PERCENT[name])
            if name not in measures and not untouched:
                raise SettingsError(
                    f"cutoffs_percent.{name}: the table has no measure {name}; its measures are "
                    f"{', '.join(measures) or 'none'}."
                )
