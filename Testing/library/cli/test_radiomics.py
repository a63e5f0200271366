"""``bonequant radiomics`` as a user calls it: real lesions, bad input, and a machine without pyradiomics."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.cli import main

QUICK = ("--set", "stability.count=1", "--set", 'ct.classes=["shape","firstorder","glcm"]')
Call = Callable[..., tuple[object, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command; its exit code and its last line of output or the one line of its error."""

    def run(*arguments: object) -> tuple[object, str]:
        monkeypatch.setattr("sys.argv", ["bonequant", "radiomics", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        errors = [line for line in said.err.splitlines() if line.startswith("bonequant: ")]
        assert len(errors) == (stop.value.code != 0)
        return stop.value.code, errors[0] if errors else said.out.strip()

    return run


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_sarcoma_on_ct_and_pet_with_masks_on_their_own_grids(data, call, tmp_path):
    folder = data / "sts_petctmr" / "nifti" / "STS_001"
    listed = tmp_path / "list.csv"
    listed.write_text("lesion_id,mask,level,label\nthigh,label_1,left thigh,sarcoma\n")
    out = tmp_path / "out"
    code, said = call(
        "--ct", folder / "CT_image.nii.gz", "--spect", folder / "PET_image.nii.gz", "--mask", folder / "CT_mask.nii.gz",
        "--adjusted", folder / "PET_mask.nii.gz", "--lesions", listed, "--patient", "STS_001", "--out", out,
        "--fact", "modality=PT", "--fact", "unit=SUVbw", "--second-time", folder / "CT_mask.nii.gz", *QUICK,
    )  # fmt: skip
    assert (code, said) == (0, str(out / "report.html"))
    ct, pet = table(out / "measurements.csv")
    assert (ct["roi"], pet["roi"]) == ("drawn", "adjusted")
    for row, name in ((ct, "CT"), (pet, "PET")):
        image, mask = (sitk.ReadImage(str(folder / f"{name}_{kind}.nii.gz")) for kind in ("image", "mask"))
        inside = sitk.GetArrayViewFromImage(mask) > 0
        assert float(row["mean"]) == pytest.approx(sitk.GetArrayViewFromImage(image)[inside].mean(), rel=1e-5)
        assert float(row["volume_ml"]) == pytest.approx(inside.sum() * np.prod(image.GetSpacing()) / 1000)
    (wide,) = table(out / "lesions.csv")
    assert (wide["patient_id"], wide["lesion_id"], wide["label"]) == ("STS_001", "thigh", "sarcoma")
    rows = table(out / "features.csv")
    assert len([row for row in rows if row["family"] == "mazda"]) == 2 * 279
    assert all(bool(row["value"]) != bool(row["missing_because"]) for row in rows)
    rows = table(out / "stability.csv")
    again = {row["feature"]: row for row in rows if (row["drawing"], row["image"]) == ("second time", "CT")}
    assert float(again["original_firstorder_Mean"]["cv_percent"]) == 0.0  # the same mask: nothing changed on the CT


def test_two_lesions_drawn_on_a_lutetium_spect(data, call, tmp_path):
    folder = data / "spect_lu177" / "SCAN_001"
    out = tmp_path / "out"
    code, _ = call("--spect", folder / "image", "--mask", folder / "mask", "--out", out, *QUICK)
    assert code == 0
    rows = table(out / "measurements.csv")
    # Volumes and SUV by an independent rasterisation of the contours (reference notes of the data).
    assert [float(row["volume_ml"]) for row in rows] == pytest.approx([106.98, 2.86], abs=0.006)
    assert [float(row["mean"]) for row in rows] == pytest.approx([14.736, 19.018], rel=5e-4)
    assert {row["unit"] for row in rows} == {"SUVbw"}
    summary = json.loads((out / "result.json").read_text())
    assert summary["stable"]
    assert any("2 lesions" in text for text in summary["warnings"])
    kinds = table(out / "readings.csv")
    assert [row["number"] for row in kinds] == ["0", "1", "0", "1"]


def test_a_real_pet_ct_with_a_lesion_drawn_on_the_pet(data, call, tmp_path):
    """The hottest 5 mL of the PET between the lungs and the bladder, carried to the CT."""
    from bonequant.io import load

    pet = load(data / "petct_acrin" / "PT")
    hot = np.unravel_index(int(pet.array[60:120].argmax()), pet.array[60:120].shape)
    mask = np.zeros(pet.array.shape, dtype=np.uint8)
    z, y, x = hot[0] + 60, hot[1], hot[2]
    mask[z - 2 : z + 3, y - 2 : y + 3, x - 2 : x + 3] = 1
    drawn = sitk.GetImageFromArray(mask)
    drawn.CopyInformation(pet.image)
    sitk.WriteImage(drawn, str(tmp_path / "hot.nrrd"))
    out = tmp_path / "out"
    code, _ = call(
        "--ct", data / "petct_acrin" / "CT", "--spect", data / "petct_acrin" / "PT", "--mask", tmp_path / "hot.nrrd",
        "--out", out, *QUICK, "--set", "perturb=false",
    )  # fmt: skip
    assert code == 0
    ct, found = table(out / "measurements.csv")
    assert (found["roi"], found["unit"], ct["roi"], ct["unit"]) == ("drawn", "SUVbw", "carried", "HU")
    assert float(ct["volume_ml"]) == pytest.approx(
        float(found["volume_ml"]), rel=0.02
    )  # CT voxels are 24 times smaller
    factors = json.loads((out / "result.json").read_text())["suv_factors"]
    assert factors["decay_correction"] == "START"
    assert float(found["max"]) == pytest.approx(float(pet.array[mask > 0].max()) * factors["scale"], rel=1e-6)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """image.nrrd (noise) and mask.nrrd (a block), to be spoilt by the tests."""
    array = np.random.default_rng(0).normal(100.0, 20.0, (8, 24, 24)).astype(np.float32)
    save(tmp_path / "image.nrrd", array)
    save(tmp_path / "mask.nrrd", block())
    return tmp_path


def block() -> np.ndarray:
    mask = np.zeros((8, 24, 24), dtype=np.uint8)
    mask[2:6, 6:18, 6:18] = 1
    return mask


def save(path: Path, array: np.ndarray, origin: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> None:
    image = sitk.GetImageFromArray(array)
    image.SetOrigin(origin)
    sitk.WriteImage(image, str(path))


def results(folder: Path) -> Path:
    (folder / "results").mkdir()
    return folder / "results" / "out"


def with_nan() -> np.ndarray:
    array = np.ones((8, 24, 24), dtype=np.float32)
    array[3, 8, 8] = np.nan
    return array


@pytest.mark.parametrize(
    ("file", "array", "origin", "says"),
    [
        ("mask.nrrd", block() * 0, (0, 0, 0), "mask.nrrd"),  # empty
        ("mask.nrrd", block(), (900.0, 0, 0), "overlap"),
        ("image.nrrd", with_nan(), (0, 0, 0), "image.nrrd"),
        ("mask.nrrd", with_nan(), (0, 0, 0), "mask.nrrd"),
        ("mask.nrrd", block() * -1.0, (0, 0, 0), "mask.nrrd"),
    ],
)
def test_bad_input_is_one_line_and_nothing_on_the_disk(made, call, file, array, origin, says):
    save(made / file, array, origin)
    out = results(made)
    code, said = call("--spect", made / "image.nrrd", "--mask", made / "mask.nrrd", "--out", out)
    assert code == 2
    assert says in said
    assert os.listdir(out.parent) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--mask", "mask.nrrd"), "no image"),
        (("--spect", "image.nrrd"), "--find"),
        (("--spect", "image.nrrd", "--mask", "mask.nrrd", "--mask-on", "ct"), "was not given"),
        (("--spect", "image.nrrd", "--mask", "mask.nrrd", "--mask-on", "pet"), "choose auto"),
        (("--spect", "image.nrrd", "--mask", "mask.nrrd", "--second-reader", "two.nrrd"), "label_2"),
        (("--ct", "image.nrrd", "--spect", "image.nrrd", "--mask", "mask.nrrd"), "--mask-on"),
        (("--spect", "image.nrrd", "--mask", "mask.nrrd", "--lesions", "list.csv"), "label_9"),
        (("--spect", "image.nrrd", "--mask", "mask.nrrd", "--set", "families=[]"), "families"),
        (("--spect", "image.nrrd", "--mask", "mask.nrrd", "--map", "nonsense"), "nonsense"),
        (("--spect", "image.nrrd", "--mask", "mask.nrrd", "--set", "quantity=suv"), "quantity=native"),
    ],
)
def test_what_does_not_fit_together(made, call, monkeypatch, arguments, says):
    two = block()
    two[4:] *= 2
    save(made / "two.nrrd", two)  # two labels where one is due
    (made / "list.csv").write_text("lesion_id,mask\na,label_9\n")
    monkeypatch.chdir(made)
    out = results(made)
    code, said = call(*arguments, "--out", out)
    assert code == 2
    assert says in said
    assert os.listdir(out.parent) == []


def test_two_labels_are_two_lesions(made, call):
    two = block()
    two[4:] *= 2
    save(made / "mask.nrrd", two)
    code, _ = call("--spect", made / "image.nrrd", "--mask", made / "mask.nrrd", "--out", made / "out", *QUICK)
    assert code == 0
    assert [row["lesion_id"] for row in table(made / "out" / "lesions.csv")] == [
        "label_1",
        "label_2",
    ]


@pytest.mark.parametrize("kind", ["one voxel", "constant"])
def test_what_cannot_be_computed_is_empty_with_its_reason(made, call, kind):
    if kind == "one voxel":
        mask = block() * 0
        mask[4, 10, 10] = 1
        save(made / "mask.nrrd", mask)
    else:
        save(made / "image.nrrd", np.full((8, 24, 24), 42.0, dtype=np.float32))
    code, _ = call(
        "--ct", made / "image.nrrd", "--mask", made / "mask.nrrd", "--out", made / "out", "--set", "ct.spacing_mm=[]"
    )
    assert code == 0
    rows = {row["feature"]: row for row in table(made / "out" / "features.csv")}
    assert len(rows) == 279 + 174
    for name in ("original_firstorder_Skewness", "original_glcm_Correlation", "Teta1", "Skewness"):
        assert rows[name]["value"] == ""
        assert rows[name]["missing_because"]
    assert all(bool(row["value"]) != bool(row["missing_because"]) for row in rows.values())
    assert rows["original_firstorder_Mean"]["value"]


@pytest.fixture
def model(made, call) -> Path:
    """A model of the SPECT, trained on features in Bq/mL with settings of its own."""
    from bonequant.radiomics import evaluate

    code, _ = call(
        "--spect", made / "image.nrrd", "--mask", made / "mask.nrrd", "--out", made / "first", "--fact", "modality=NM",
        "--fact", "unit=Bq/mL", "--set", 'families=["mazda"]', "--set", "plane=coronal",
        "--set", "mazda.normalisation=none", "--set", "perturb=false", "--set", "quantity=activity",
    )  # fmt: skip
    assert code == 0
    (measured,) = table(made / "first" / "lesions.csv")
    random = np.random.default_rng(0)
    names = ["SPECT:Mean", "SPECT:S(1,0)Contrast"]
    at = np.array([float(measured[name]) for name in names])
    labels = np.arange(40) % 2
    rows = at * (1.0 + 0.1 * random.standard_normal((40, 2)) + 0.1 * labels[:, None])
    recipes = json.loads((made / "first" / "features.json").read_text())["recipes"]
    report = evaluate(rows, labels, names=names, extraction=recipes, sets={"SPECT": "SPECT:"})
    return report["SPECT"].model.save(made / "model.json")


LIKE = ("--spect", "image.nrrd", "--mask", "mask.nrrd", "--fact", "modality=NM", "--fact", "unit=Bq/mL", "--like")


def test_features_measured_like_a_model_are_those_it_was_trained_on_and_it_takes_them(
    made, call, model, monkeypatch, capsys
):
    monkeypatch.chdir(made)
    code, _ = call(*LIKE, model, "--out", "again", "--set", "perturb=false")
    assert code == 0
    assert table(made / "again" / "lesions.csv") == table(made / "first" / "lesions.csv")
    monkeypatch.setattr("sys.argv", ["bonequant", "predict", str(model), "again", "--out", "prediction"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            (*LIKE, "model.json", "--set", "plane=sagittal"),
            "leave unset what the model was trained with: plane (coronal)",
        ),
        (("--ct", *LIKE[1:4], "--like", "model.json"), "needs features of SPECT; given are CT"),
        ((*LIKE, "untold.json"), "'SPECT' were: it does not say how they were measured"),
        ((*LIKE, "mask.nrrd"), "mask.nrrd is not a readable model file"),
    ],
)
def test_what_a_model_does_not_allow(made, call, model, monkeypatch, arguments, says):
    import dataclasses

    from bonequant.radiomics import load_model

    dataclasses.replace(load_model(model), extraction={}).save(made / "untold.json")
    monkeypatch.chdir(made)
    out = results(made)
    code, said = call(*arguments, "--out", out)
    assert code == 2
    assert says in said
    assert os.listdir(out.parent) == []


SCRIPT = """
import sys
sys.modules["radiomics"] = None  # what an import then meets: ModuleNotFoundError
from bonequant.cli import main
sys.argv = ["bonequant", "radiomics", *sys.argv[1:]]
main()
"""


def test_without_pyradiomics_the_rest_is_measured_and_the_report_says_so(made):
    out = made / "out"
    arguments = ["--ct", made / "image.nrrd", "--mask", made / "mask.nrrd", "--out", out, "--set", "ct.spacing_mm=[]"]
    arguments += ["--map", "original_glcm_Contrast"]
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    rows = {row["feature"]: row for row in table(out / "features.csv")}
    lost = [row for row in rows.values() if row["missing_because"] == "pyradiomics is not installed"]
    assert {row["class"] for row in lost} == {
        *("shape", "morphology", "glcm", "glrlm", "glszm", "gldm", "ngtdm", "ngldm"),
    }
    assert rows["S(1,0)Contrast"]["value"]
    assert rows["original_gldzm_ZonePercentage"]["value"]
    assert "pyradiomics is not installed" in (out / "report.html").read_text()
    assert not (out / "maps").exists()
