"""The demo of the SPECT/CT radiomics panel: one simulated lesion on two images, read from files, and a known model."""

from __future__ import annotations

import math
from pathlib import Path

from bonequant.io import load, write_volume
from bonequant.phantom import LesionCohortSettings, simulate_lesion_cohort
from bonequant.radiomics.model.model_file import INTENDED_USE, DiagnosticModel, ModelFeature
from bonequant.studies.lesion_radiomics import LesionSettings

FAST = LesionSettings(families=("mazda",), perturb=False)


def write_images(folder: Path) -> None:
    """CT and SPECT of one lesion of the simulated cohort, centred on the origin, as files."""
    case = simulate_lesion_cohort(LesionCohortSettings(lesions=6, patients=5)).cases[0]
    write_volume(case.ct.replace(name="CT"), folder / "ct.nrrd")
    write_volume(case.spect.replace(name="SPECT"), folder / "spect.nrrd")


def load_nodes(folder: Path):
    """The images as nodes: (ct, spect)."""
    from bonequant import mrml

    return mrml.to_node(load(folder / "ct.nrrd"), "CT"), mrml.to_node(load(folder / "spect.nrrd"), "SPECT")


def write_model(record: dict, path: Path, probability: float = 0.8) -> Path:
    """A model of two features that gives the first lesion of a record this probability."""
    features = next(iter(record["lesions"].values()))["features"]
    parts = tuple(
        ModelFeature(name, "", "", features[name] - 1.0, 1.0, k, 0.1, features[name] - 9.0, features[name] + 9.0)
        for name, k in (("CT:Mean", 1.5), ("SPECT:Mean", -0.5))
    )
    intercept = math.log(probability / (1.0 - probability)) - 1.0
    model = DiagnosticModel(
        "combined", "metastasis", parts, intercept, 0.5, "fixed", None, record["recipes"], {}, {}, INTENDED_USE, {}
    )
    return model.save(path)


def draw(app, panel, centre_ras=(0.0, 0.0, 0.0), diameter_mm=20.0) -> None:
    """A stroke in the panel's segment editor, carried to the other image."""
    panel.ui.segmentEditor.paint(centre_ras, diameter_mm)
    app.process(80)  # strokes are gathered for 50 ms
