"""Volume, DynamicSeries, Curve and Acquisition: what they accept, what they refuse and what they keep."""

from __future__ import annotations

import gc
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import GeometryError, InputError, SettingsError
from bonequant.volume import (
    Acquisition,
    Curve,
    DynamicSeries,
    Geometry,
    Volume,
    acquisition_from_json,
    acquisition_to_json,
    image_from_array,
)

GRID = Geometry((4, 3, 2), (1.0, 2.0, 3.0), (10.0, 20.0, 30.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))


def a_volume(**facts) -> Volume:
    return Volume(image=image_from_array(np.arange(24.0).reshape(2, 3, 4), GRID), **facts)


def test_a_volume_from_three_words():
    volume = Volume(image=a_volume().image, modality="NM", unit="Bq/mL")
    assert (volume.modality, volume.unit, volume.warnings) == ("NM", "Bq/mL", ())
    assert volume.geometry == GRID
    assert volume.voxel_volume_ml == pytest.approx(0.006)
    assert volume.array.shape == (2, 3, 4)
    assert volume.array[1, 2, 3] == volume.image[3, 2, 1]


def test_voxels_are_read_only_and_outlive_the_volume():
    array = a_volume().array
    gc.collect()
    np.testing.assert_array_equal(array.ravel(), np.arange(24))
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0, 0] = 5


def test_other_voxels_on_the_same_grid():
    volume = a_volume(unit="Bq/mL", name="SPECT", modality="NM")
    suv = volume.with_array(volume.array / 2, unit="SUVbw", name="SUV")
    assert (suv.unit, suv.name, suv.modality) == ("SUVbw", "SUV", "NM")
    assert suv.geometry == GRID
    assert suv.array.dtype == np.float32
    assert volume.with_array(volume.array).unit == "Bq/mL"
    with pytest.raises(GeometryError, match=r"\(4, 3, 2\)"):
        volume.with_array(np.zeros((4, 3, 2)))


def test_other_dimensions_and_vectors_are_refused_with_the_name():
    flat = sitk.Image(4, 4, sitk.sitkUInt8)
    with pytest.raises(GeometryError, match=r"a\.dcm has 2 dimensions"):
        Volume(image=flat, source="a.dcm")
    with pytest.raises(GeometryError, match=r"4 dimensions.*dynamic"):
        Volume(image=sitk.Image([2, 2, 2, 2], sitk.sitkFloat32))
    with pytest.raises(InputError, match="several values per voxel"):
        Volume(image=sitk.Image([2, 2, 2], sitk.sitkVectorFloat32, 3))


def test_a_dynamic_series_checks_its_times():
    frames = np.zeros((3, *GRID.shape), dtype=np.float64)
    series = DynamicSeries(frames=frames, times_s=[0, 5, 11], geometry=GRID, name="DCE")
    assert series.frames.dtype == np.float32
    assert series.times_s.dtype == np.float64
    assert series.frame(1).geometry == GRID
    assert series.frame(1).name == "DCE frame 1"
    with pytest.raises(InputError, match="3 frames but 2 times"):
        DynamicSeries(frames=frames, times_s=[0, 1], geometry=GRID)
    for times in ([0, 5, 5], [0, 5, 4], [0, np.nan, 4]):
        with pytest.raises(InputError, match="strictly increasing"):
            DynamicSeries(frames=frames, times_s=times, geometry=GRID)
    assert (
        DynamicSeries(frames=frames, times_s=[0, 5, 11], geometry=GRID, durations_s=[5, 6, 6]).durations_s.sum() == 17
    )
    for durations in ([5, 6], [5, 0, 6], [5, np.nan, 6]):
        with pytest.raises(InputError, match="durations_s must hold 3 times above zero"):
            DynamicSeries(frames=frames, times_s=[0, 5, 11], geometry=GRID, durations_s=durations)
    with pytest.raises(GeometryError, match="do not fit a grid"):
        DynamicSeries(frames=frames[:, :1], times_s=[0, 1, 2], geometry=GRID)


def test_a_curve_checks_its_times():
    curve = Curve([0, 1, 2], [3, 4, 5], unit="mM", name="AIF")
    assert curve.values.dtype == np.float64
    with pytest.raises(InputError, match=r"'AIF'.*one per time"):
        Curve([0, 1], [1, 2, 3], name="AIF")
    with pytest.raises(InputError, match="strictly increasing"):
        Curve([0, 0], [1, 2])
    with pytest.raises(InputError, match="finite and strictly increasing"):
        Curve([0, np.nan, 2], [1, 2, 3])


def test_typed_facts_replace_and_are_remembered():
    facts = Acquisition(patient_weight_kg=80.0).with_typed(patient_weight_kg=75.0, half_life_s=None)
    assert facts.patient_weight_kg == 75.0
    assert facts.typed == ("patient_weight_kg",)
    assert facts.with_typed(patient_height_m=1.7).typed == ("patient_height_m", "patient_weight_kg")
    with pytest.raises(SettingsError, match="No such acquisition fact: weight"):
        facts.with_typed(weight=70)


def test_typed_facts_take_the_declared_type_or_say_what_is_due():
    """Half of the users type these: "80" must not fail in the middle of a formula, far from where it was typed."""
    facts = Acquisition().with_typed(
        patient_weight_kg=np.float32(80), number_of_projections=60.0, injection_time="2024-01-01T23:30"
    )
    assert type(facts.patient_weight_kg) is float
    assert (facts.number_of_projections, type(facts.number_of_projections)) == (60, int)
    assert facts.injection_time == datetime(2024, 1, 1, 23, 30)
    for wrong, words in (
        ({"patient_weight_kg": "80"}, "patient_weight_kg must be a number, not '80'"),
        ({"patient_weight_kg": True}, "must be a number"),
        ({"number_of_projections": 60.5}, "must be a whole number"),
        ({"patient_sex": 1}, "must be text"),
        ({"corrections": "ATTN"}, "must be a list of texts"),
        ({"injection_time": "half past ten"}, "a date-time such as 2026-01-31T08:30:00, not 'half past ten'"),
        ({"injection_time": 1030}, "a date-time such as"),
    ):
        with pytest.raises(SettingsError, match=words):
            Acquisition().with_typed(**wrong)


def test_facts_survive_json_but_identifiers_do_not():
    facts = Acquisition(
        patient_id="4711",
        patient_name="Doe^Jane",
        study_uid="1.2",
        series_uid="1.2.3",
        frame_of_reference_uid="1.2.4",
        patient_weight_kg=80.25,
        injection_time=datetime(2024, 1, 1, 23, 30, 0, 250000),
        corrections=("ATTN", "SCAT"),
        number_of_projections=60,
        protocol={"matrix": (128, 128), "energy_windows_kev": ((126.0, 154.0), (108.0, 122.0))},
        typed=("patient_weight_kg",),
    )
    assert acquisition_from_json(acquisition_to_json(facts, identifiers=True), "file") == facts
    left = acquisition_from_json(acquisition_to_json(facts), "file")
    assert (left.patient_id, left.patient_name, left.study_uid, left.series_uid) == (None,) * 4
    assert left == replace(facts, patient_id=None, patient_name=None, study_uid=None, series_uid=None)
    for damaged in ("{", "[1]", '{"patient_weight_kg": "heavy"}', '{"injection_time": "noon"}', '{"protocol": 3}'):
        with pytest.raises(InputError, match=r"scan\.nrrd: the acquisition facts of BoneQuant are damaged"):
            acquisition_from_json(damaged, "scan.nrrd")
    assert acquisition_from_json('{"fact_of_a_later_version": 1}', "file") == Acquisition()


def test_masks_of_booleans_become_bytes():
    assert image_from_array(np.ones(GRID.shape, bool), GRID).GetPixelID() == sitk.sitkUInt8
