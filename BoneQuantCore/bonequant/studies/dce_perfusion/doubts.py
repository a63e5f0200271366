"""What a reader should doubt: few baseline frames, a poor input, cut regions, voxels that failed or hit a bound."""

from __future__ import annotations

from collections.abc import Mapping

from bonequant.kinetics import AIF
from bonequant.studies.dce_perfusion.arterial import Delay
from bonequant.studies.dce_perfusion.concentration import SignalFacts

LOST = "NaN: "  # how the counts of voxels without a value begin
AT_BOUND = "fitted, with a parameter on a bound"
NOTHING = "fitted, with {amplitude} 0: {names} cannot be told there, NaN"
_POOR_QUALITY = 0.8
_MANY_LOST, _MANY_AT_BOUND = 0.01, 0.25
_LONG_DELAY_S = 8.0
_EARLY_S = -1.0  # blood reaches the tissue after its artery; a second is the accuracy of the fit at usual frame times
_LEAST_INSIDE = 0.999  # the rounding of voxels at the edge of the series


def doubts(
    facts: SignalFacts, artery: AIF | None, delay: Delay, counts: Mapping[str, int], inside: Mapping[str, float]
) -> list[str]:
    """Sentences for the top of the report. ``inside``: region to the share of it within the series."""
    found: list[str] = []
    if facts.baseline_frames < 3:
        frames = "1 frame lies" if facts.baseline_frames == 1 else f"{facts.baseline_frames} frames lie"
        found.append(
            f"Only {frames} before the contrast: the noise of the baseline enters every value. Check "
            "--set signal.baseline_frames."
        )
    if artery is not None and artery.slices and artery.quality < _POOR_QUALITY:
        found.append(f"The quality of the input is {artery.quality:.2f} of 1: look at its curve and voxels below.")
    if delay.source.startswith("not fitted"):
        found.append(f"The delay from the input to the tissue was {delay.source}; 0 s was used.")
    if delay.seconds < _EARLY_S:
        found.append(
            f"The tissue enhances {-delay.seconds:.1f} s before the input ({delay.source}); blood reaches an artery "
            "first. Is the input a vein or a late artery, or its curve on another clock? Look at it below; give "
            "another input, or the delay by hand: --set delay_s=SECONDS."
        )
    elif delay.seconds > _LONG_DELAY_S:
        found.append(f"The input was delayed by {delay.seconds:.1f} s ({delay.source}): is it this tissue's artery?")
    for name, share in inside.items():
        if share < _LEAST_INSIDE:
            found.append(
                f"Only {100.0 * share:.3g} % of the region {name} lies within the series: its values are of that part, "
                "volume_ml is of the whole."
            )
    chosen, fitted = counts["to be fitted"], counts["fitted"]
    if chosen - fitted > _MANY_LOST * chosen:
        reasons = "; ".join(f"{key.removeprefix(LOST)}: {n}" for key, n in counts.items() if key.startswith(LOST))
        found.append(f"{chosen - fitted} of {chosen} voxels have no value ({reasons}): NaN in the maps.")
    at_bound = counts.get(AT_BOUND, 0)
    if at_bound > _MANY_AT_BOUND * max(fitted, 1):
        found.append(
            f"{at_bound} of {fitted} voxels have a parameter on a bound: there the model or its input does not fit, or "
            "there is no enhancement. The map at_bound shows where."
        )
    return found
