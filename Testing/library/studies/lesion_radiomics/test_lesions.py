"""Two made lesions on a CT and a SPECT of other voxels: carried, adjusted, measured, redrawn, written."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
from datetime import datetime

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.radiomics import extract
from bonequant.report import render
from bonequant.studies.lesion_radiomics import Lesion, LesionInputs, LesionSettings, long_rows, run, wide_rows, write
from bonequant.studies.lesion_radiomics.report import page
from bonequant.studies.lesion_radiomics.settings import recipe_hash
from bonequant.studies.lesion_radiomics.stability_section import stability_section
from bonequant.studies.lesion_radiomics.table import stability_rows
from bonequant.volume import Volume
from scipy import ndimage

CENTRES = {"lesion_1": (20.0, 18.0, 20.0), "lesion_2": (44.0, 42.0, 36.0)}  # mm
RADIUS = 9.0
QUICK = LesionSettings.from_dict(
    {
        "stability": {"count": 2},
        "ct": {"classes": ["shape", "firstorder", "glcm"], "spacing_mm": []},
        "functional": {"classes": ["firstorder", "glcm"], "spacing_mm": []},
    }
)


def grid(spacing: tuple[float, float, float], side_mm: float = 64.0) -> sitk.Image:
    image = sitk.Image([round(side_mm / s) for s in spacing], sitk.sitkFloat32)
    image.SetSpacing(spacing)
    image.SetOrigin([(s - 1.0) / 2.0 for s in spacing])
    return image


def filled(like: sitk.Image, array: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.CopyInformation(like)
    return image


def distance(like: sitk.Image, centre: tuple[float, float, float]) -> np.ndarray:
    z, y, x = np.indices(like.GetSize()[::-1])
    places = [o + s * i for o, s, i in zip(like.GetOrigin(), like.GetSpacing(), (x, y, z), strict=True)]
    return np.sqrt(sum((p - c) ** 2 for p, c in zip(places, centre, strict=True)))


def ball(like: sitk.Image, centre: tuple[float, float, float], radius: float = RADIUS) -> sitk.Image:
    return filled(like, (distance(like, centre) <= radius).astype(np.uint8))


def textured(like: sitk.Image, level: float, sd: float, seed: int) -> np.ndarray:
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=like.GetSize()[::-1]), 1.0)
    return (level + sd * noise / noise.std()).astype(np.float32)


@pytest.fixture(scope="module")
def inputs() -> LesionInputs:
    ct, spect = grid((1.0, 1.0, 2.0)), grid((4.0, 4.0, 4.0))
    hu, uptake = textured(ct, 150.0, 40.0, 0), textured(spect, 1.0, 0.2, 1)
    for number, centre in enumerate(CENTRES.values(), start=1):
        hu[distance(ct, centre) <= RADIUS] *= 1.0 + number
        uptake[distance(spect, centre) <= RADIUS] *= 5.0 * number
    return LesionInputs(
        lesions=tuple(Lesion(name, ball(ct, centre), "ct", level="L1") for name, centre in CENTRES.items()),
        ct=Volume(filled(ct, hu), "CT", "HU", name="CT"),
        functional=Volume(filled(spect, uptake), "NM", "SUVbw", name="SPECT"),
        patient="P7",
    )


@pytest.fixture(scope="module")
def result(inputs):
    return run(inputs, QUICK)


def test_each_lesion_lies_where_it_was_made_on_both_images(result):
    for name, centre in CENTRES.items():
        for space, on in result.on_images[name].items():
            image = result.images[space]
            place = np.argwhere(sitk.GetArrayViewFromImage(on.region.mask)).mean(axis=0)[::-1]
            found = image.image.TransformContinuousIndexToPhysicalPoint(place.tolist())
            # A ball's centre on voxels of 4 mm: within a quarter of one.
            np.testing.assert_allclose(found, centre, atol=1.0)
            assert on.region.origin == ("drawn" if space == "ct" else "carried")
            # 3.05 mL; a voxel of 64 mm3 more or less all round the surface of 1018 mm2, evened out.
            assert on.measured.volume_ml == pytest.approx(4 / 3 * math.pi * RADIUS**3 / 1000, rel=0.12)


def test_the_section_is_the_largest_one(result):
    for name, centre in CENTRES.items():
        section = result.on_images[name]["ct"].region.section
        counts = sitk.GetArrayViewFromImage(result.lesions[0].mask).sum(axis=(1, 2))
        assert section.pixels.sum() == counts.max()
        z = section.mask.TransformIndexToPhysicalPoint((0, 0, section.index))[2]
        assert abs(z - centre[2]) <= 1.0  # half a slice
        copy = result.on_images[name]["functional"].region.section
        assert copy.area_mm2 == pytest.approx(math.pi * RADIUS**2, rel=0.25)  # 16 pixels of 16 mm2


def test_features_are_those_of_the_library(inputs, result):
    on = result.on_images["lesion_1"]["ct"]
    expected = extract(inputs.ct, inputs.lesions[0].mask)
    assert {name: on.features[name] for name in expected} == pytest.approx(dict(expected), nan_ok=True)
    assert len(on.features) == 279 + 14 + 18 + 24
    inside = inputs.ct.array[sitk.GetArrayViewFromImage(inputs.lesions[0].mask) > 0]
    assert on.features["original_firstorder_Mean"] == pytest.approx(np.rint(inside).mean())


def test_every_missing_feature_has_its_reason(result):
    rows = long_rows(result)
    assert len(rows) == sum(len(on.features) for found in result.on_images.values() for on in found.values())
    for row in rows:
        assert math.isnan(row["value"]) == bool(row["missing_because"])
    lost = [row for row in rows if row["missing_because"]]
    assert lost  # a section of 16 pixels has no Haar block of 8 x 8
    assert {row["family"] for row in lost} == {"mazda"}


def test_rows_tell_what_a_feature_is(result):
    rows = {(row["lesion_id"], row["image"], row["feature"]): row for row in long_rows(result)}
    row = rows["lesion_2", "SPECT", "original_firstorder_Mean"]
    assert (row["unit"], row["ibsi_id"], row["roi"]) == ("SUVbw", "Q4LE", "carried")
    assert "verified" in row["status"]
    assert rows["lesion_1", "CT", "original_shape_MeshVolume"]["unit"] == "mm³"
    assert rows["lesion_1", "CT", "original_firstorder_Variance"]["unit"] == "(HU)²"
    assert rows["lesion_1", "CT", "S(1,0)Contrast"]["unit"] == ""
    wide = wide_rows(result)
    assert [row["lesion_id"] for row in wide] == list(CENTRES)
    assert wide[0]["patient_id"] == "P7"
    assert wide[0]["CT:original_firstorder_Mean"] == rows["lesion_1", "CT", "original_firstorder_Mean"]["value"]


def test_a_shift_given_by_hand_carries_the_lesion(inputs):
    """The SPECT lies 8 mm to the left: with the transform that says so the features are those of the aligned pair."""
    moved = sitk.Image(inputs.functional.image)
    moved.SetOrigin([moved.GetOrigin()[0] + 8.0, *moved.GetOrigin()[1:]])
    shift = sitk.TranslationTransform(3, (8.0, 0.0, 0.0))
    settings = dataclasses.replace(QUICK, perturb=False)
    there = inputs.replace(functional=inputs.functional.replace(image=moved), transform=shift)
    first, second = wide_rows(run(inputs, settings)), wide_rows(run(there, settings))
    assert dict(second[0]) == pytest.approx(dict(first[0]), nan_ok=True)
    # Drawn on the SPECT it goes the other way, through the inverse.
    drawn = tuple(
        Lesion(lesion.id, ball(moved, (x + 8.0, y, z)), "functional")
        for lesion, (x, y, z) in zip(inputs.lesions, CENTRES.values(), strict=True)
    )
    back = run(there.replace(lesions=drawn), settings).on_images["lesion_1"]["ct"]
    place = np.argwhere(sitk.GetArrayViewFromImage(back.region.mask)).mean(axis=0)[::-1]
    found = inputs.ct.image.TransformContinuousIndexToPhysicalPoint(place.tolist())
    np.testing.assert_allclose(found, CENTRES["lesion_1"], atol=0.5)


def test_an_adjusted_mask_replaces_the_carried_one(inputs):
    spect = inputs.functional.image
    own = ball(spect, (22.0, 18.0, 20.0))
    lesions = (dataclasses.replace(inputs.lesions[0], adjusted=own), inputs.lesions[1])
    found = run(inputs.replace(lesions=lesions), dataclasses.replace(QUICK, perturb=False)).on_images
    on = found["lesion_1"]["functional"]
    assert on.region.origin == "adjusted"
    assert np.array_equal(sitk.GetArrayViewFromImage(on.region.mask), sitk.GetArrayViewFromImage(own))
    assert found["lesion_2"]["functional"].region.origin == "carried"


def test_a_lesion_too_small_for_the_other_image_is_nan_there_and_the_others_are_not(inputs):
    speck = Lesion("speck", ball(inputs.ct.image, (31.0, 31.0, 31.0), 1.2), "ct")
    result = run(inputs.replace(lesions=(inputs.lesions[0], speck)), QUICK)
    there = result.on_images["speck"]["functional"]
    assert all(math.isnan(value) for value in there.features.values())
    assert "less than half" in next(iter(there.features.missing.values()))
    assert math.isfinite(result.on_images["lesion_1"]["functional"].features["original_firstorder_Mean"])
    assert any("speck on SPECT" in text for text in result.warnings)


@pytest.mark.parametrize("space", ["ct", "functional"])
def test_one_image_is_enough(inputs, space):
    image = inputs.image(space)
    lesion = Lesion("one", ball(image.image, CENTRES["lesion_1"]), space)
    alone = LesionInputs(lesions=(lesion,), **{space: image})
    result = run(alone, QUICK)
    assert list(result.on_images["one"]) == [space]
    assert result.quality.stable is None
    assert "only one" in result.quality.reason
    cv = [row.cv for row in result.quality.tables["perturbation"].values()]
    assert np.isfinite(cv).sum() > 100  # the spread within a lesion is known all the same


def test_planes_other_than_axial(inputs):
    """A coronal section of MaZda is what the same image gives when it is turned to have that plane axial."""
    settings = LesionSettings(families=("mazda",), plane="coronal", perturb=False)
    found = run(inputs.replace(functional=None), settings).on_images["lesion_1"]["ct"]
    turned = [sitk.PermuteAxes(image, (0, 2, 1)) for image in (inputs.ct.image, inputs.lesions[0].mask)]
    expected = extract(*turned)
    assert dict(found.features) == pytest.approx(dict(expected), nan_ok=True)


def test_the_hash_follows_what_decides_a_feature(inputs, result):
    assert result.settings_hash == recipe_hash(json.loads(json.dumps(result.recipes)))
    other = dataclasses.replace(QUICK, mazda=dataclasses.replace(QUICK.mazda, gradient_size="3x3"), perturb=False)
    assert run(inputs, other).settings_hash != result.settings_hash
    same = dataclasses.replace(QUICK, perturb=False, lesion_sd=3.0)
    assert run(inputs, same).settings_hash == result.settings_hash
    counts = inputs.replace(functional=inputs.functional.replace(unit="counts"))
    assert run(counts, dataclasses.replace(same, quantity="native")).settings_hash != result.settings_hash


def test_without_facts_there_is_no_suv_and_it_is_said(inputs):
    activity = inputs.replace(functional=inputs.functional.replace(unit="Bq/mL"))
    result = run(activity, dataclasses.replace(QUICK, perturb=False))
    assert result.images["functional"].unit == "Bq/mL"
    assert any(text.startswith("No SUV:") for text in result.warnings)
    with pytest.raises(InputError, match="quantity=native"):
        run(activity, dataclasses.replace(QUICK, quantity="suv"))


def test_a_typed_decay_correction_is_called_so(inputs):
    facts = {
        "patient_weight_kg": 70.0, "injected_activity_bq": 6e8, "half_life_s": 21624.0, "radionuclide": "99mTc",
        "injection_time": datetime(2026, 3, 12, 8), "acquisition_start": datetime(2026, 3, 12, 11),
    }  # fmt: skip
    told = dataclasses.replace(inputs.functional.acquisition, **facts)
    said = []
    for acquisition in (
        told.with_typed(decay_correction="START"), dataclasses.replace(told, decay_correction="START"),
    ):  # fmt: skip
        spect = inputs.functional.replace(unit="Bq/mL", acquisition=acquisition)
        said.append(render(page(run(inputs.replace(functional=spect), dataclasses.replace(QUICK, perturb=False)))))
    assert "START (typed)" in said[0] and "START (from the file)" not in said[0]
    assert "START (from the file)" in said[1]


def test_maps_and_folder(inputs, tmp_path):
    settings = dataclasses.replace(QUICK, maps=("original_firstorder_Mean", "original_glcm_JointEntropy"))
    result = run(inputs, settings)
    uptake = result.maps["SPECT original_firstorder_Mean"]
    inside = np.logical_or.reduce(
        [sitk.GetArrayViewFromImage(found["functional"].region.mask) > 0 for found in result.on_images.values()]
    )
    assert np.array_equal(np.isfinite(uptake.array), inside)
    assert np.nanmedian(uptake.array) == pytest.approx(np.median(inputs.functional.array[inside]), rel=0.3)
    report = write(result, tmp_path / "out")
    folder = report.parent
    written = {path.name for path in folder.iterdir()}
    assert {"features.csv", "lesions.csv", "features.json", "measurements.csv", "stability.csv", "maps"} <= written
    assert len(list((folder / "maps").iterdir())) == 4
    with (folder / "lesions.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    made = json.loads((folder / "features.json").read_text())
    assert rows[0]["settings_hash"] == made["settings_hash"] == recipe_hash(made["recipes"])
    assert set(made["columns"]) == set(rows[0]) - {"patient_id", "lesion_id", "level", "label", "settings_hash"}
    assert float(rows[1]["SPECT:original_firstorder_Mean"]) == wide_rows(result)[1]["SPECT:original_firstorder_Mean"]
    assert "Stability under redrawing" in report.read_text()


@pytest.mark.parametrize("name", ["nonsense", "S(1,0)Contrast", "log-sigma-2-0-mm-3D_glcm_Contrast"])
def test_a_map_that_cannot_be_made_is_refused_before_anything_is_measured(inputs, name):
    with pytest.raises(InputError, match=r"no name|no map|add it to image_types"):
        run(inputs, dataclasses.replace(QUICK, maps=(name,)), lambda fraction, message: pytest.fail(message))


def test_of_a_single_lesion_stability_is_unknown_and_not_zero(inputs):
    alone = run(inputs.replace(lesions=inputs.lesions[:1]), dataclasses.replace(QUICK, families=("ibsi",)))
    rows = stability_rows(alone)
    assert rows and all(row["stable"] is None and row["cv_percent"] >= 0 for row in rows)
    assert {row["stable"] for row in stability_section(alone).blocks[-1].rows} == {None}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ct": None, "functional": None}, "no image"),
        ({"lesions": ()}, "no lesion"),
        ({"ct": None}, "was not given"),
        ({"readings": {"second reader": {"lesion_9": None}}}, "lesion_9"),
        ({"find": True, "functional": None}, "needs both"),
    ],
)
def test_inputs_that_do_not_fit(inputs, change, says):
    with pytest.raises(InputError, match=says):
        run(inputs.replace(**change), QUICK)


def test_exchanged_images_and_doubled_ids(inputs):
    with pytest.raises(InputError, match="exchanged"):
        run(inputs.replace(functional=inputs.ct), QUICK)
    with pytest.raises(InputError, match="twice"):
        run(inputs.replace(lesions=(inputs.lesions[0], inputs.lesions[0])), QUICK)
