"""Lesion radiomics in nodes: the same features as from files, adjusted copies, grades, models, after a reload too."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant import mrml
from bonequant.errors import InputError
from bonequant.mrml.lesion_inputs import READER, drawn_on, grades, lesion_inputs, set_tag
from bonequant.mrml.lesion_list import LesionList
from bonequant.mrml.lesion_model import contribution_rows, explanation_to_nodes, predict_lesions, predictions_to_node
from bonequant.mrml.lesion_nodes import (
    feature_rows,
    lesion_result_to_nodes,
    map_features,
    map_nodes,
    maps_to_nodes,
    section_centre,
    show_lesion,
)
from bonequant.mrml.lesion_record import record_from_node
from bonequant.mrml.live import LivePropagation
from bonequant.mrml.patches import patch_of, write_patch
from bonequant.phantom import LesionCohortSettings, simulate_lesion_cohort
from bonequant.radiomics.model.model_file import INTENDED_USE, DiagnosticModel, ModelFeature
from bonequant.roi.carry import Patch
from bonequant.studies import lesion_radiomics as job

SETTINGS = job.LesionSettings(families=("mazda",), perturb=False)


@pytest.fixture(scope="module")
def case():
    return simulate_lesion_cohort(LesionCohortSettings(lesions=6, patients=5)).cases[0]


class Drawn:
    """One lesion of the cohort, drawn on the SPECT, in a scene."""

    def __init__(self, case) -> None:
        self.ct, self.spect = mrml.to_node(case.ct, "CT"), mrml.to_node(case.spect, "SPECT")
        self.lesions = mrml.to_node({"lesion_1": case.spect_mask}, "Lesions")
        self.lesions.SetReferenceImageGeometryParameterFromVolumeNode(self.spect)

    def measured(self, **changes):
        result = job.run(lesion_inputs(self.lesions, self.ct, self.spect, **changes), SETTINGS)
        return result, lesion_result_to_nodes(result, {"ct": self.ct, "functional": self.spect}, "Lesion radiomics")


def model(record, probability=0.8) -> DiagnosticModel:
    """A model of two features that gives the one lesion a known probability."""
    (found,) = record["lesions"].values()
    names = ("CT:Mean", "SPECT:Mean")
    features = tuple(
        ModelFeature(name, "", "", value - 1.0, 1.0, coefficient, 0.1, value - 2.0, value + 2.0)
        for name, coefficient in zip(names, (1.5, -0.5), strict=True)
        for value in (found["features"][name],)
    )
    intercept = math.log(probability / (1 - probability)) - 1.0
    return DiagnosticModel(
        "combined", "metastasis", features, intercept, 0.5, "fixed", None, record["recipes"], {}, {}, INTENDED_USE, {}
    )


def test_features_of_nodes_are_those_of_the_objects_to_the_bit(scene, case):
    result, record = Drawn(case).measured()
    lesion = job.Lesion("lesion_1", case.spect_mask, "functional")
    expected = job.run(job.LesionInputs((lesion,), case.ct, case.spect), SETTINGS)
    assert job.wide_rows(result) == job.wide_rows(expected)
    kept = record_from_node(record)["lesions"]["lesion_1"]["features"]
    (wide,) = job.wide_rows(expected)
    assert len(kept) == 2 * 279
    names = list(kept)
    assert np.array_equal([kept[name] for name in names], [wide[name] for name in names], equal_nan=True)


def test_lesion_drawn_on_a_registered_spect_is_found_through_the_transform(scene, case):
    """SPECT and lesion lie under a shift: features on CT are those of a job that is given the same transform."""
    drawn = Drawn(case)
    shift = sitk.TranslationTransform(3, (3.0, -2.0, 3.0))
    node = mrml.to_node(shift, "registration")
    drawn.spect.SetAndObserveTransformNodeID(node.GetID())
    with pytest.raises(InputError, match="'Lesions' lies under another transform"):
        lesion_inputs(drawn.lesions, None, drawn.spect)
    drawn.lesions.SetAndObserveTransformNodeID(node.GetID())
    assert drawn_on(drawn.lesions, drawn.ct, drawn.spect) == "functional"
    result, _ = drawn.measured()
    lesion = job.Lesion("lesion_1", case.spect_mask, "functional")
    expected = job.run(job.LesionInputs((lesion,), case.ct, case.spect, transform=shift), SETTINGS)
    assert job.wide_rows(result) == job.wide_rows(expected)


def test_an_adjusted_copy_goes_into_the_job_and_a_carried_one_does_not(scene, case):
    drawn = Drawn(case)
    live = LivePropagation(drawn.lesions, [drawn.ct])
    carried = live.targets[drawn.ct.GetID()]
    before = lesion_inputs(drawn.lesions, drawn.ct, drawn.spect, carried)
    patch = patch_of(carried, "lesion_1")
    write_patch(carried, "lesion_1", Patch(patch.grid, patch.start, patch.voxels[:, :, 2:-2]).trimmed())
    after = lesion_inputs(drawn.lesions, drawn.ct, drawn.spect, carried)
    live.stop()
    assert before.lesions[0].adjusted is None
    own = sitk.GetArrayViewFromImage(after.lesions[0].adjusted).sum()
    assert own == patch_of(carried, "lesion_1").voxels.sum() > 0
    origins = {space: on.region.origin for space, on in job.run(after, SETTINGS).on_images["lesion_1"].items()}
    assert origins == {"ct": "adjusted", "functional": "drawn"}


def test_segments_without_a_voxel_are_left_out_and_named(scene, case):
    drawn = Drawn(case)
    drawn.lesions.GetSegmentation().AddEmptySegment("lesion_2", "lesion_2")
    inputs = lesion_inputs(drawn.lesions, drawn.ct, drawn.spect)
    assert [lesion.id for lesion in inputs.lesions] == ["lesion_1"]
    assert "lesion_2" in inputs.warnings[0]


def test_table_of_a_lesion_has_each_feature_once_with_both_images_beside_each_other(scene, case):
    result, record = Drawn(case).measured()
    rows = mrml.from_node(show_lesion(record, "lesion_1"))
    assert len(rows) == 279
    features = {space: on.features for space, on in result.on_images["lesion_1"].items()}
    for row in rows:
        assert np.array_equal([row["CT"]], [features["ct"][row["feature"]]], equal_nan=True)
        assert np.array_equal([row["SPECT"]], [features["functional"][row["feature"]]], equal_nan=True)
    table = show_lesion(record, "lesion_1", "co-occ")
    few = show_lesion(record, "lesion_1", "angscmom")
    assert few is table
    assert {row["feature"].split(")")[-1] for row in mrml.from_node(few)} == {"AngScMom"}
    for lesion, contains in (("lesion_9", ""), ("lesion_1", "no such feature")):
        with pytest.raises(InputError, match=r"lesion_9|no such feature"):
            show_lesion(record, lesion, contains)


def test_largest_section_is_shown_on_each_image_where_the_job_took_it(scene, case):
    result, record = Drawn(case).measured()
    for space, image in (("ct", "CT"), ("functional", "SPECT")):
        node = record.GetNodeReference(f"BoneQuant.Sections.{image}")
        mask = result.on_images["lesion_1"][space].region.section.mask
        shown = mrml.from_node(node)["lesion_1"]
        assert np.array_equal(sitk.GetArrayFromImage(shown) > 0, sitk.GetArrayFromImage(mask) > 0)
        places = np.argwhere(sitk.GetArrayFromImage(mask))[:, ::-1]
        half = [mask.TransformIndexToPhysicalPoint([int(v) for v in end]) for end in (places.min(0), places.max(0))]
        middle = np.mean(half, axis=0) * (-1, -1, 1)
        assert section_centre(record, image, "lesion_1") == pytest.approx(middle, abs=max(mask.GetSpacing()))
    assert section_centre(record, "CT", "lesion_9") is None


def test_maps_lie_on_their_images_and_are_filled_again(scene, case):
    drawn = Drawn(case)
    result, record = drawn.measured()
    name = "original_firstorder_Mean"
    volumes = {"ct": drawn.ct, "functional": drawn.spect}
    more = job.with_maps(result, [name])
    assert set(more.maps) == {f"CT {name}", f"SPECT {name}"}
    assert more.settings.maps == (name,)
    assert more.provenance.settings["maps"] == [name]
    lesion_result_to_nodes(more, volumes, "Lesion radiomics", record)
    first = map_nodes(record, name)
    lesion_result_to_nodes(more, volumes, "Lesion radiomics", record)
    assert map_nodes(record, name) == first
    for image, unit in (("CT", "[hnsf'U]"), ("SPECT", "g/ml")):
        quantity, units = first[image].GetVoxelValueQuantity(), first[image].GetVoxelValueUnits()
        assert (quantity.GetCodeValue(), quantity.GetCodingSchemeDesignator()) == ("Q4LE", "IBSI")
        assert units.GetCodeValue() == unit
    array = mrml.from_node(first["CT"]).array
    inside = sitk.GetArrayFromImage(result.on_images["lesion_1"]["ct"].region.mask) > 0
    assert np.array_equal(np.isfinite(array), inside)
    count = scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    assert count == 4


@pytest.mark.parametrize(
    ("feature", "quantity", "unit"),
    [
        ("original_glcm_JointEntropy", ("TU9B", "IBSI"), "{bit}"),
        ("wavelet-HLL_firstorder_Energy", ("N8CA", "IBSI"), "{(filtered HU)²}"),
        ("original_glcm_MCC", ("glcm_MCC", "99BONEQUANT"), "1"),
    ],
)
def test_maps_without_a_unit_of_ucum_have_its_way_to_say_so(scene, case, feature, quantity, unit):
    from bonequant.mrml.feature_codes import code_map

    node = mrml.to_node(case.ct, "map")
    code_map(node, feature, "HU")
    entry = node.GetVoxelValueQuantity()
    assert (entry.GetCodeValue(), entry.GetCodingSchemeDesignator()) == quantity
    assert entry.GetCodeMeaning() == feature.replace("_", " ")
    assert node.GetVoxelValueUnits().GetCodeValue() == unit


def test_prediction_of_the_record_has_the_probability_that_was_planted(scene, case):
    _, record = Drawn(case).measured()
    made = model(record_from_node(record))
    (found,) = predict_lesions(record, made).values()
    assert found.probability == pytest.approx(0.8, abs=1e-9)
    (row,) = mrml.from_node(predictions_to_node(record, made, {"lesion_1": found}))
    assert (row["call"], row["probability"]) == ("metastasis", found.probability)
    table, chart = explanation_to_nodes(record, "lesion_1", found)
    rows = mrml.from_node(table)
    assert [row["feature"] for row in rows] == ["CT:Mean", "SPECT:Mean", "intercept"]
    assert math.fsum(row["log_odds"] for row in rows) == pytest.approx(found.log_odds, abs=1e-12)
    again = explanation_to_nodes(record, "lesion_1", found)
    assert again == (table, chart)


def test_contributions_beyond_fifteen_are_summed_up_and_still_give_the_log_odds():
    from bonequant.radiomics.model import Contribution, Prediction

    parts = tuple(Contribution(f"f{n}", 0.0, 1.0, 0.1 * n, 0.1 * n) for n in range(30))
    total = math.fsum(part.log_odds for part in parts) - 3.0
    rows = contribution_rows(Prediction(0.9, total, -3.0, parts, True, 0.5, "metastasis", (), ""))
    assert len(rows) == 17
    assert rows[0]["feature"] == "f29"
    assert rows[15]["feature"] == "15 others"
    assert math.fsum(row["log_odds"] for row in rows) == pytest.approx(total, abs=1e-12)


def test_model_of_other_extraction_settings_refuses_with_the_reason_in_the_table(scene, case):
    _, record = Drawn(case).measured()
    made = model(record_from_node(record))
    other = DiagnosticModel(**{**vars(made), "extraction": {**made.extraction, "CT": {"unit": "HU"}}})
    found = predict_lesions(record, other)
    (row,) = mrml.from_node(predictions_to_node(record, other, found))
    assert row["call"] == "refused"
    assert "differ from those the model" in row["remarks"]


def test_everything_is_there_after_the_scene_was_saved_and_opened(scene, case, tmp_path):
    drawn = Drawn(case)
    set_tag(drawn.lesions, "lesion_1", READER, "4")
    result, record = drawn.measured()
    mapped = job.with_maps(result, ["original_firstorder_Mean"])
    maps_to_nodes(mapped, {"ct": drawn.ct, "functional": drawn.spect}, record)
    content = record_from_node(record)
    show_lesion(record, "lesion_1")
    made = model(content)
    explanation_to_nodes(record, "lesion_1", predict_lesions(record, made)["lesion_1"])
    opened = mrml.read_scene(mrml.save_scene(scene, tmp_path / "lesions.mrb"))
    record = opened.GetFirstNodeByName("Lesion radiomics")
    again = record_from_node(record)
    again_rows, rows = (feature_rows(one, "lesion_1") for one in (again, content))
    assert str(again_rows) == str(rows)
    assert predict_lesions(record, made)["lesion_1"].probability == pytest.approx(0.8, abs=1e-9)
    for role in ("Selected", "Measured", "Contributions", "Contributions.Chart", "Sections.CT"):
        assert record.GetNodeReference(f"BoneQuant.{role}") is not None, role
    assert set(map_nodes(record, "original_firstorder_Mean")) == {"CT", "SPECT"}
    assert map_features(record) == ["original_firstorder_Mean"]
    assert grades(opened.GetFirstNodeByName("Lesions")) == {"lesion_1": 4}


def test_list_of_lesions_follows_the_drawing(scene, case):
    drawn = Drawn(case)
    live = LivePropagation(drawn.lesions, [drawn.ct])
    carried = live.targets[drawn.ct.GetID()]
    rows = LesionList(drawn.lesions, drawn.ct, drawn.spect, carried)
    (before,) = rows.refresh()
    patch = patch_of(drawn.lesions, "lesion_1")
    write_patch(drawn.lesions, "lesion_1", Patch(patch.grid, patch.start, patch.voxels[:, 3:, :]).trimmed())
    (after,) = rows.refresh(["lesion_1"])
    mask = patch_of(drawn.lesions, "lesion_1").voxels.sum()
    assert before["volume_ml"] > after["volume_ml"]
    assert after["volume_ml"] == pytest.approx(mask * 8.0 / 1000.0, rel=1e-9)  # 2 mm voxels
    expected = mrml.measure_segments(drawn.spect, drawn.lesions)["lesion_1"]
    assert after["functional_mean"] == expected.mean
    assert after["ct_mean"] == mrml.measure_segments(drawn.ct, carried)["lesion_1"].mean
    assert after["copy"] == "carried"
    patch = patch_of(carried, "lesion_1")
    write_patch(carried, "lesion_1", Patch(patch.grid, patch.start, patch.voxels[:, :, 1:]).trimmed())
    assert rows.refresh([])[0]["copy"] == "adjusted"
    table = rows.to_node(rows.refresh())
    assert table.GetColumnUnitLabel("ct_mean") == "HU"
    live.stop()


def test_grades_that_are_none_are_told(scene, case):
    drawn = Drawn(case)
    set_tag(drawn.lesions, "lesion_1", READER, "7")
    with pytest.raises(InputError, match=r"lesion_1.*'7'"):
        grades(drawn.lesions)
    set_tag(drawn.lesions, "lesion_1", READER, "")
    assert grades(drawn.lesions) == {}


def test_record_that_is_none_is_told(scene):
    node = scene.AddNewNodeByClass("vtkMRMLTextNode", "notes")
    node.SetText("hello")
    for wrong in (None, node):
        with pytest.raises(InputError, match="measure"):
            record_from_node(wrong)
