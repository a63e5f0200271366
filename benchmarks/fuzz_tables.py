"""Small sound tables and JSON files of the later jobs, and their readers: more material of ``benchmarks.fuzz``."""

from __future__ import annotations

import csv
import dataclasses
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bonequant.batch import EngineSettings, SlurmSettings
from bonequant.batch.jobs import NAMES, job_named
from bonequant.cli.facts import parse_settings
from bonequant.errors import InputError
from bonequant.io import load
from bonequant.kinetics.aif_input import file_input
from bonequant.radiomics.model.model_file import (
    CentreCorrection,
    DiagnosticModel,
    ModelFeature,
    content_hash,
    load_model,
)
from bonequant.registration import load_transform
from bonequant.response import calls_of, read_evidence
from bonequant.studies import diagnostic_model, diagnostic_prediction, response_cohort, treatment_response
from bonequant.studies.lesion_radiomics.lesion_list import read_lesion_list
from bonequant.studies.liver_perfusion.maa import read_maa_table

TRANSFORM = """#Insight Transform File V1.0
#Transform 0
Transform: AffineTransform_double_3_3
Parameters: 1 0 0 0 1 0 0 0 1 2.5 -3 4
FixedParameters: 0 0 0
"""


def write_tables(folder: Path) -> None:
    """CSV of the jobs: evidence, lesions, MAA ratios, links, a response study, features with labels and readers."""
    vp = ["before.vp", "before.vp_reference", "after.vp", "after.vp_reference"]
    features = [["lesion_id", "patient_id", "label", "level", "CT:a", "CT:b", "SPECT:a", "reader:one"]]
    features += [[f"L{k}", f"P{k}", k % 2, "L1", k + 0.5, -k, 3.25 * k, 1 + k % 5] for k in range(12)]
    tables: dict[str, list[list[Any]]] = {
        "evidence.csv": [["id", "criterion", *vp], ["L1", "dce_vp", 0.03, 0.02, 0.01, 0.02]],
        "lesions.csv": [["lesion_id", "mask", "level", "label"], ["L1", "one", "L4", 1], ["L2", "two", "L5", 0]],
        "maa.csv": [["lesion", "ratio"], ["tumour_1", 3.2], ["tumour_2", 0.8]],
        "links.csv": [["interval", "before", "after"], [0, "one", "one; two"], [0, "", "three"]],
        "study.csv": [
            ["id", "patient", "outcome", "vp_before", "vp_after", "dce_call", "vp@30", "followed_days", "failed_day"],
            *[[f"L{k}", f"P{k}", ("failure", "success")[k % 2], 0.02, 0.01 * k, "success", -5 * k, 90, 60 if not k % 2
               else ""] for k in range(1, 7)],
        ],
        "features.csv": features,
    }  # fmt: skip
    for name, rows in tables.items():
        with (folder / name).open("w", newline="") as stream:
            csv.writer(stream).writerows(rows)


def write_documents(folder: Path) -> None:
    """JSON of the jobs: evidence, a date of a patient, the engine, the settings of every job."""
    evidence = {"before": {"vp": 0.03, "vp_reference": 0.02}, "after": {"vp": 0.01, "vp_reference": 0.02}}
    row = {"id": "L1", "criterion": "dce_vp", "evidence": evidence}
    (folder / "evidence.json").write_text(json.dumps([row, {**row, "id": "L2"}]))
    date = {"name": "before", "date": "2026-01-31", "images": {}, "masks": [], "facts": {"patient_weight_kg": 70}}
    (folder / "date.json").write_text(json.dumps(date))
    (folder / "slurm.json").write_text(SlurmSettings(directives=("--exclusive",)).to_json())
    (folder / "engine.json").write_text(EngineSettings().to_json())
    for name in NAMES:
        (folder / f"{name}.json").write_text(job_named(name).settings()().to_json())


def write_model(folder: Path) -> None:
    feature = ModelFeature("CT:a", "", "ibsi", 1.5, 0.5, 2.0, 0.3, 0.0, 3.0)
    centres = CentreCorrection((1.0,), (0.5,), {"A": (0.1,), "B": (-0.1,)}, {"A": (1.0,), "B": (1.1,)})
    plain = DiagnosticModel(
        "CT", "metastasis", (feature,), 0.2, 0.5, "youden", None, {}, {"lesions": 20}, {}, "research", {"numpy": "2"}
    )
    plain.save(folder / "plain.json")
    dataclasses.replace(plain, harmonisation=centres).save(folder / "centres.json")


def write_transforms(folder: Path) -> None:
    for suffix in ("tfm", "txt"):
        (folder / f"affine.{suffix}").write_text(TRANSFORM)


def _rehashed(path: Path) -> Any:
    """As somebody would forge it: with a hash that fits what is there."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content.pop("sha256", None)
        text = json.dumps({**content, "sha256": content_hash(content)})
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise InputError("the forger cannot read it either") from error
    with tempfile.TemporaryDirectory() as folder:
        forged, lesions = Path(folder) / "forged.json", Path(folder) / "features.csv"
        forged.write_text(text)
        lesions.write_text("lesion_id,patient_id,CT:a\nL1,P1,1.5\n")
        return diagnostic_prediction.run(diagnostic_prediction.read_inputs(forged, lesions, centre="A"))


def _settings_of(name: str) -> Callable[[Path], Any]:
    return lambda path: parse_settings(job_named(name).settings(), path, [])


READERS: dict[str, tuple[Callable[[Path], Any], ...]] = {
    "tables": (
        read_evidence,
        lambda path: calls_of(read_evidence(path, "dce_vp")),
        read_lesion_list,
        read_maa_table,
        treatment_response.read_links,
        response_cohort.read_inputs,
        diagnostic_model.read_inputs,
        lambda path: diagnostic_model.read_inputs(path, path),
        file_input,
    ),
    "documents": (
        lambda path: calls_of(read_evidence(path)),
        lambda path: treatment_response.read_date(path, "before"),
        lambda path: parse_settings(SlurmSettings, path, []),
        lambda path: parse_settings(EngineSettings, path, []),
        *(_settings_of(name) for name in NAMES),
        load,
    ),
    "model": (load_model, _rehashed),
    "transform": (load_transform,),
}
WRITERS: dict[str, Callable[[Path], None]] = {
    "tables": write_tables,
    "documents": write_documents,
    "model": write_model,
    "transform": write_transforms,
}
