"""A diagnostic model applied to the lesions of a record: predictions, and what each feature contributed, as nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bonequant.errors import InputError
from bonequant.mrml.charts import Series, chart_to_node
from bonequant.mrml.hierarchy import place
from bonequant.mrml.kept import keep, kept_node, kept_table
from bonequant.mrml.lesion_record import record_from_node

if TYPE_CHECKING:
    from bonequant.radiomics import DiagnosticModel, Prediction

_SHOWN = 15  # contributions in the chart


def predict_lesions(record: Any, model: DiagnosticModel, centre: str | None = None) -> dict[str, Prediction | str]:
    """The model's prediction for each lesion of a record, or why it refuses.

    The extraction settings are compared with those of the training; other ones are refused.
    """
    from bonequant.radiomics import Features, predict

    content = record_from_node(record)
    found: dict[str, Prediction | str] = {}
    for lesion, measured in content["lesions"].items():
        features = Features(missing=measured["missing"])
        features.update(measured["features"])
        try:
            found[lesion] = predict(model, features, content["recipes"], centre=centre or None)
        except InputError as error:
            found[lesion] = str(error)
    return found


def predictions_to_node(record: Any, model: DiagnosticModel, found: Mapping[str, Prediction | str]) -> Any:
    """The table of predictions: lesion, probability, log odds, the call, what speaks against believing it."""
    rows = [
        {
            "lesion": lesion,
            "probability": None if isinstance(one, str) else one.probability,
            "log_odds": None if isinstance(one, str) else one.log_odds,
            "call": "refused" if isinstance(one, str) else _call(one),
            "remarks": one if isinstance(one, str) else "; ".join(one.warnings),
        }
        for lesion, one in found.items()
    ]
    table = kept_table(record, "Predictions", f"{record.GetName()}: model {model.name}", rows)
    table.SetName(f"{record.GetName()}: model {model.name}")
    table.SetAttribute("BoneQuant.Model", model.sha256)
    place([table], record.GetName())
    return table


def explanation_to_nodes(record: Any, lesion: str, prediction: Prediction) -> tuple[Any, Any]:
    """Table and chart of what each feature adds to the log odds, the largest first.

    log odds = intercept + sum of the contributions; those above 0 speak for the positive class.
    """
    rows = contribution_rows(prediction)
    table = kept_table(record, "Contributions", f"{record.GetName()}: contributions", rows)
    table.SetName(f"{record.GetName()}: contributions, {lesion}")
    chart = chart_to_node(
        table,
        [Series("log_odds", "feature", "bar")],
        f"{record.GetName()}: contributions",
        title=f"{lesion}: P({prediction.positive_class}) = {prediction.probability:.2f}",
        x_title="Feature",
        y_title=f"Log odds of {prediction.positive_class}",
        chart=kept_node(record, "Contributions.Chart"),
    )
    keep(record, "Contributions.Chart", chart)
    place([table, chart], record.GetName())
    return table, chart


def contribution_rows(prediction: Prediction) -> list[dict[str, Any]]:
    """Features by the size of their contribution, then the intercept; what is beyond the first fifteen is summed up."""
    parts = sorted(prediction.contributions, key=lambda part: -abs(part.log_odds))
    rows: list[dict[str, Any]] = [
        {"feature": p.feature, "log_odds": p.log_odds, "value": p.value, "z": p.z, "coefficient": p.coefficient}
        for p in parts[:_SHOWN]
    ]
    if len(parts) > _SHOWN:
        rest = parts[_SHOWN:]
        rows.append({"feature": f"{len(rest)} others", "log_odds": sum(part.log_odds for part in rest)})
    rows.append({"feature": "intercept", "log_odds": prediction.intercept})
    return [{"value": None, "z": None, "coefficient": None, **row} for row in rows]


def sentence(prediction: Prediction) -> str:
    """The prediction in words."""
    return (
        f"P({prediction.positive_class}) = {prediction.probability:.2f}: {_call(prediction)} (threshold "
        f"{prediction.threshold:.2f})"
    )


def reasons(prediction: Prediction, count: int = 4) -> str:
    """The features that speak loudest, with what each adds to the log odds."""
    parts = sorted(prediction.contributions, key=lambda part: -abs(part.log_odds))[:count]
    told = ", ".join(f"{part.feature} {part.log_odds:+.2f}" for part in parts)
    return f"Largest contributions to the log odds ({prediction.log_odds:+.2f}): {told}" if told else ""


def _call(prediction: Prediction) -> str:
    return prediction.positive_class if prediction.called else f"not {prediction.positive_class}"
