"""Every feature with an IBSI identifier against the consensus values of the Image Biomarker Standardisation Initiative.

The tables in the data folder (digital phantom, configuration C) and in benchmarks/ibsi_reference.csv (A, B, D, E) give
values to three significant digits with a tolerance (Zwanenburg et al., Radiology 2020;295:328).
"""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import pytest
import SimpleITK as sitk
from bonequant.radiomics import RadiomicsSettings, describe_feature, extract, feature_names, ibsi_configuration
from bonequant.radiomics.ibsi.table import aggregation_suffix

from benchmarks import ibsi

TABLES = {
    "digital phantom": ("ibsi_1_dig_phantom.csv", "ibsi_1_digital_phantom", ("3d", "2.5d", "2d")),
    "C": ("ibsi_1_chest_config_c.csv", "ibsi_1_ct_radiomics_phantom", ("3d",)),
}


def reference(path: Path) -> dict[str, tuple[float, float]]:
    rows = list(csv.reader(path.open(), delimiter=";"))[1:]
    return {tag: (float(value), float(tolerance)) for value, tolerance, tag in rows if value}


def measured(data: Path, configuration: str, phantom: str, dimensions: str, aggregation: str) -> dict[str, float]:
    """Values by the tags of the reference tables."""
    folder = data / "ibsi" / phantom / "nifti"
    image = sitk.ReadImage(str(folder / "image" / "phantom.nii.gz"))
    mask = sitk.ReadImage(str(folder / "mask" / "mask.nii.gz"))
    chosen = dataclasses.replace(ibsi_configuration(configuration), dimensions=dimensions, aggregation=aggregation)
    features = extract(image, mask, RadiomicsSettings(families=("ibsi",), ibsi=chosen))
    assert not features.missing
    tags = {name: describe_feature(name).ibsi_tag for name in features}
    return {tag + aggregation_suffix(tag, dimensions, aggregation): features[name] for name, tag in tags.items() if tag}


def outside(value: float, wanted: float, tolerance: float) -> bool:
    """Compared at the three digits of the tables, as their authors do; 1e-9 because 0.1 + 0.2 != 0.3."""
    return abs(float(f"{value:.3g}") - wanted) > tolerance + 1e-9 * abs(wanted)


@pytest.mark.parametrize(
    ("configuration", "dimensions", "aggregation"),
    [(name, d, a) for name, (_, _, dims) in TABLES.items() for d in dims for a in ("averaged", "merged")],
)
def test_every_feature_with_an_identifier_is_within_the_tolerance(data, configuration, dimensions, aggregation):
    table, phantom, _ = TABLES[configuration]
    expected = reference(data / "ibsi" / "reference_values" / table)
    found = measured(data, configuration, phantom, dimensions, aggregation)
    assert len(found) == 102 + 65  # common with pyradiomics, and lacking there (two of its names occur twice)
    failures = {tag: (value, *expected[tag]) for tag, value in found.items() if outside(value, *expected[tag])}
    assert not failures


@pytest.mark.parametrize(
    ("configuration", "dimensions", "aggregation"),
    [(name, d, a) for name in "ABDE" for d in ibsi.WAYS[name][0] for a in ("averaged", "merged")],
)
def test_the_other_configurations_as_well(data, configuration, dimensions, aggregation):
    rows = ibsi.compare(configuration, dimensions, aggregation, ibsi.phantom(configuration))
    assert len(rows) == 102 + 65
    assert not [row for row in rows if not row.passes]


def test_the_table_in_docs_is_the_one_that_is_measured(data, root):
    """The digital phantom's part of it, which takes no time; the figures are those that ``--write`` puts there."""
    rows = ibsi.compare("digital phantom", "3d", "averaged", ibsi.phantom("digital phantom"))
    written = (root / "Docs" / "validation" / "ibsi.md").read_text(encoding="utf-8")
    assert "\n".join(ibsi.details("digital phantom", ("3d", "averaged"), rows)) in written
    assert "FAIL" not in written


def test_102_features_are_common_to_pyradiomics_and_ibsi():
    settings = RadiomicsSettings(families=("ibsi",))
    infos = [describe_feature(name) for name in feature_names(settings)]
    common = ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
    assert sum(info.feature_class in common and bool(info.ibsi_id) for info in infos) == 102
    others = [info.name for info in infos if info.feature_class in common and not info.ibsi_id]
    assert others == [
        "original_shape_Maximum2DDiameterColumn",
        "original_shape_Maximum2DDiameterRow",
        "original_shape_Maximum2DDiameterSlice",
        "original_firstorder_TotalEnergy",
        "original_glcm_MCC",
    ]
    assert all(len(info.ibsi_id) in (0, 4) for info in infos)
