"""The diagnostic model as a file that a person can read and a program can trust: JSON with a hash, never a pickle.

    log odds = intercept + sum_k coefficient_k (value_k - mean_k) / sd_k

with each value harmonised first where the model holds ComBat parameters. The hash is SHA-256 over the content in
canonical JSON (names sorted, no blanks); a file that was changed does not load.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bonequant.errors import InputError
from bonequant.settings import Settings

FORMAT = "bonequant diagnostic model"
FORMAT_VERSION = 1
INTENDED_USE = (
    "Research use only, not for diagnosis. Estimates the probability that a bone lesion is of the positive class, for "
    "lesions like those it was trained on, measured with the same extraction settings."
)
ANY = "all"  # the one entry of extraction settings that are not given by modality


@dataclass(frozen=True)
class ModelFeature:
    """A feature of the model: training mean, SD and range, coefficient per SD with its standard error.

    ``low`` and ``high`` are as measured; ``mean`` and ``sd`` after harmonisation, if there is any.
    """

    name: str
    ibsi_id: str
    status: str
    mean: float
    sd: float
    coefficient: float
    standard_error: float
    low: float
    high: float


@dataclass(frozen=True)
class CentreCorrection:
    """ComBat of the model's features: per feature grand mean and pooled SD; per centre location and scale in them."""

    mean: tuple[float, ...]
    sd: tuple[float, ...]
    location: dict[str, tuple[float, ...]]
    scale: dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class DiagnosticModel:
    """Everything that a prediction needs, and what a reader must know before believing it.

    Attributes:
        name: of the feature set, "CT" for example.
        features: those with a coefficient; none for a model that is its intercept alone.
        intercept: log odds at the training means.
        threshold: probability from which a lesion is called ``positive_class``; ``threshold_rule`` says whence.
        extraction: extraction settings by modality, or under "all"; empty where training did not say.
        training: lesions, patients, positives, selection, fit, performance, warnings.
        model_settings: ModelSettings of the training.
    """

    name: str
    positive_class: str
    features: tuple[ModelFeature, ...]
    intercept: float
    threshold: float
    threshold_rule: str
    harmonisation: CentreCorrection | None
    extraction: dict[str, Any]
    training: dict[str, Any]
    model_settings: dict[str, Any]
    intended_use: str
    versions: dict[str, str]

    @property
    def extraction_hash(self) -> str:
        """Of the extraction settings; "" where there are none."""
        return content_hash(self.extraction) if self.extraction else ""

    def to_dict(self) -> dict[str, Any]:
        """Content of the file, its hash last."""
        content = plain(
            {
                "format": FORMAT,
                "format_version": FORMAT_VERSION,
                **{name: getattr(self, name) for name in ("name", "positive_class", "intended_use")},
                "features": [asdict(feature) for feature in self.features],
                **{name: getattr(self, name) for name in ("intercept", "threshold", "threshold_rule")},
                "harmonisation": asdict(self.harmonisation) if self.harmonisation else None,
                "extraction": self.extraction,
                "extraction_hash": self.extraction_hash,
                **{name: getattr(self, name) for name in ("training", "model_settings", "versions")},
            }
        )
        return {**content, "sha256": content_hash(content)}

    @property
    def sha256(self) -> str:
        """Hash over the content: the model's identity."""
        return str(self.to_dict()["sha256"])

    def save(self, path: str | Path) -> Path:
        """Write the model as JSON; an existing file is replaced as a whole."""
        target = Path(path)
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        part = target.with_name(target.name + ".part")
        try:
            part.write_text(text + "\n", encoding="utf-8")
            part.replace(target)
        except OSError as error:
            raise InputError(f"The model cannot be written to {target}: {error}.") from error
        return target


def load_model(path: str | Path) -> DiagnosticModel:
    """Read a model and check its hash.

    Raises InputError for a file that cannot be read, is no model, is of a later format, or was changed.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a readable model file: {error}.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path} is no diagnostic model: its format is not {FORMAT!r}. Make one with `train`.")
    if content.get("format_version") != FORMAT_VERSION:
        raise InputError(
            f"{path} has format version {content.get('format_version')!r}; this program reads {FORMAT_VERSION}. "
            "Train the model anew, or use the version of BoneQuant that wrote it."
        )
    found = content.pop("sha256", None)
    if found != content_hash(content):
        raise InputError(f"{path} was changed after it was written: its hash does not match. Train or fetch it anew.")
    try:
        harmonisation = content["harmonisation"]
        values = {name: content[name] for name in DiagnosticModel.__dataclass_fields__}
        values["features"] = tuple(ModelFeature(**feature) for feature in content["features"])
        values["harmonisation"] = None if harmonisation is None else _correction(harmonisation)
        model = DiagnosticModel(**values)
        spreads = [feature.sd for feature in model.features]
        if model.harmonisation is not None:
            spreads += [*model.harmonisation.sd, *(part for own in model.harmonisation.scale.values() for part in own)]
        if not all(spread > 0 for spread in spreads):
            raise InputError(f"{path} holds a spread (SD, scale of a centre) that is not above 0: train it anew.")
        return model
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not a complete model: {error!r}.") from error


def extraction_by_modality(settings: Settings | Mapping[str, Any] | None) -> dict[str, Any]:
    """Extraction settings as plain data by modality; what is not given by modality stands under "all"."""
    if settings is None:
        return {}
    if isinstance(settings, Settings):
        return {ANY: settings.to_dict()}
    if settings and all(isinstance(value, (Settings, Mapping)) for value in settings.values()):
        given: dict[str, Any] = {str(name): _settings(value) for name, value in settings.items()}
        return given
    return {ANY: plain(settings)}


def content_hash(content: Any) -> str:
    """SHA-256 of plain data in canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def plain(value: Any) -> Any:
    """Lists, objects, numbers and texts as JSON has them; a number that is not finite becomes None."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value


def _settings(value: Settings | Mapping[str, Any]) -> Any:
    return value.to_dict() if isinstance(value, Settings) else plain(value)


def _correction(values: dict[str, Any]) -> CentreCorrection:
    return CentreCorrection(
        mean=tuple(values["mean"]),
        sd=tuple(values["sd"]),
        location={name: tuple(numbers) for name, numbers in values["location"].items()},
        scale={name: tuple(numbers) for name, numbers in values["scale"].items()},
    )


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")
