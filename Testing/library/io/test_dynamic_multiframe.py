"""Dynamic multi-frame objects: enhanced MR with temporal positions, dynamic SPECT with phases, rotations or files."""

from __future__ import annotations

import bonequant.io as io
import numpy as np
import pydicom
import pytest
from bonequant.errors import AmbiguousInputError, GeometryError, InputError, MissingFactError
from pydicom.sequence import Sequence

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
STORED = np.random.default_rng(8).integers(0, 2000, (3, 2, 3, 4)).astype(np.uint16)  # frames, slices, rows, columns
FLAT = STORED.reshape(-1, 3, 4)
TIMES = np.array([0.0, 12.0, 17.5])
PHASES = [0x00540030, 0x00540080]


def item(**attributes):
    dataset = pydicom.Dataset()
    for name, value in attributes.items():
        setattr(dataset, name, Sequence([value]) if isinstance(value, pydicom.Dataset) else value)
    return dataset


@pytest.fixture
def write_enhanced(write_nm):
    """An enhanced MR object of all frames, in the order of time or slice by slice."""

    def make(groups, slices_first=False, array=STORED):
        order = [(t, z) for t in range(len(array)) for z in range(2)]
        if slices_first:
            order.sort(key=lambda place: place[::-1])

        def change(dataset):
            for name in ("DetectorInformationSequence", "SliceVector", "NumberOfSlices", "FrameIncrementPointer",
                         "PixelSpacing", "SpacingBetweenSlices", "SliceThickness"):  # fmt: skip
                del dataset[name]
            dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = ENHANCED_MR
            dataset.Modality = "MR"
            dataset.SharedFunctionalGroupsSequence = Sequence(
                [
                    item(
                        PixelMeasuresSequence=item(PixelSpacing=[2.0, 1.5], SliceThickness=3.0),
                        PlaneOrientationSequence=item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0]),
                    )
                ]
            )
            dataset.PerFrameFunctionalGroupsSequence = Sequence(
                item(PlanePositionSequence=item(ImagePositionPatient=[-5.0, -6.0, 3.0 * z]), **groups(t, z))
                for t, z in order
            )

        stored = np.stack([array[t, z] for t, z in order])
        return write_nm(stored, name="enhanced.dcm", change=change)

    return make


def moment(seconds):
    return f"202403121359{50 + seconds:09.6f}" if seconds < 10 else f"202403121400{seconds - 10:09.6f}"


def by_index_and_reference(t, z):
    return {
        "FrameContentSequence": item(
            TemporalPositionIndex=t + 1,
            FrameReferenceDateTime=moment(TIMES[t]),
            FrameAcquisitionDuration=5000.0,
        )
    }


def by_offset(t, z):
    return {"TemporalPositionSequence": item(TemporalPositionTimeOffset=TIMES[t])}


def by_acquisition(t, z):
    return {"FrameContentSequence": item(FrameAcquisitionDateTime=moment(TIMES[t]), StackID="1")}


def by_trigger(t, z):
    return {
        "FrameContentSequence": item(TemporalPositionIndex=t + 1),
        "CardiacSynchronizationSequence": item(NominalCardiacTriggerDelayTime=1000 * TIMES[t]),
    }


@pytest.mark.parametrize("groups", [by_index_and_reference, by_offset, by_acquisition, by_trigger])
@pytest.mark.parametrize("slices_first", [False, True])
def test_enhanced_frames_by_every_kind_of_time(write_enhanced, groups, slices_first):
    path = write_enhanced(groups, slices_first)
    series = io.load_dynamic(path)
    assert np.array_equal(series.frames, STORED)
    assert series.times_s == pytest.approx(TIMES, abs=1e-9)
    assert series.geometry.spacing == (1.5, 2.0, 3.0)
    with pytest.raises(GeometryError, match=r"load_dynamic\(\)"):
        io.load(path)


def test_enhanced_without_times(write_enhanced):
    path = write_enhanced(lambda t, z: {"FrameContentSequence": item(TemporalPositionIndex=3 - t)})
    with pytest.raises(MissingFactError, match="times_s"):
        io.load_dynamic(path)
    series = io.load_dynamic(path, times_s=TIMES)
    assert np.array_equal(series.frames, STORED[::-1])  # the temporal positions run backwards


def test_echoes_are_no_frames_over_time(write_enhanced):
    def groups(t, z):
        return {**by_offset(t, z), "MREchoSequence": item(EffectiveEchoTime=2.0 + t)}

    with pytest.raises(AmbiguousInputError, match="echo time"):
        io.load_dynamic(write_enhanced(groups))


def phases(dataset):
    dataset.FrameIncrementPointer, dataset.NumberOfSlices, dataset.NumberOfPhases = PHASES, 2, 3
    dataset.PhaseVector, dataset.SliceVector = [1, 1, 2, 2, 3, 3], [1, 2] * 3
    dataset.PhaseInformationSequence = Sequence(
        item(PhaseDelay=delay, ActualFrameDuration=duration, PauseBetweenFrames=0, NumberOfFramesInPhase=1)
        for delay, duration in ((0, 60_000), (0, 60_000), (30_000, 300_000))
    )


def test_dynamic_spect_by_phases(write_nm):
    path = write_nm(FLAT, change=phases)
    series = io.load_dynamic(path)
    assert np.array_equal(series.frames, STORED)
    assert (series.modality, series.unit) == ("NM", "counts")
    assert series.durations_s == pytest.approx([60, 60, 300])
    assert series.times_s == pytest.approx([30, 90, 300])  # starts 0, 60 and, after the pause, 150 s
    with pytest.raises(GeometryError, match=r"load_dynamic\(\)"):
        io.load(path)


def test_dynamic_spect_with_slices_that_run_backwards(write_nm):
    series = io.load_dynamic(write_nm(FLAT, step=-3.0, change=phases))
    assert np.array_equal(series.frames, STORED[:, ::-1])
    assert series.geometry.origin == (-100.0, -80.0, 47.0)


def test_dynamic_spect_by_rotations(write_nm):
    def change(dataset):
        dataset.FrameIncrementPointer, dataset.NumberOfSlices, dataset.NumberOfRotations = (
            [0x00540050, 0x00540080],
            2,
            3,
        )
        dataset.RotationVector, dataset.SliceVector = [1, 1, 2, 2, 3, 3], [1, 2] * 3
        dataset.RotationInformationSequence = Sequence([item(NumberOfFramesInRotation=30, ActualFrameDuration=4000)])

    series = io.load_dynamic(write_nm(FLAT, change=change))
    assert np.array_equal(series.frames, STORED)
    assert series.times_s == pytest.approx([60, 180, 300])


def test_time_slots_need_times(write_nm):
    def change(dataset):
        dataset.FrameIncrementPointer, dataset.NumberOfSlices = [0x00540070, 0x00540080], 2
        dataset.TimeSlotVector, dataset.SliceVector, dataset.NumberOfTimeSlots = [1, 1, 2, 2, 3, 3], [1, 2] * 3, 3

    path = write_nm(FLAT, image_type="RECON GATED TOMO", change=change)
    with pytest.raises(MissingFactError, match="along TimeSlotVector"):
        io.load_dynamic(path)
    series = io.load_dynamic(path, times_s=[30, 90, 150])
    assert np.array_equal(series.frames, STORED)
    assert np.array_equal(series.times_s, [30, 90, 150])


def test_one_file_per_frame(write_nm):
    for t, start in enumerate(("135950.0", "140050.0", "140550.0")):

        def change(dataset, start=start):
            dataset.AcquisitionDate, dataset.AcquisitionTime = "20240312", start
            dataset.SeriesDescription = f"dynamic {start}"
            dataset.RotationInformationSequence = Sequence(
                [item(NumberOfFramesInRotation=15, ActualFrameDuration=4000)]
            )

        folder = write_nm(STORED[t], name=f"frame{2 - t}.dcm", change=change).parent
    series = io.load_dynamic(folder)
    assert np.array_equal(series.frames, STORED)
    assert series.times_s == pytest.approx([30, 90, 390])
    assert series.durations_s == pytest.approx([60, 60, 60])


def test_frames_over_time_are_no_bed_positions(write_nm):
    for t in range(2):

        def change(dataset, t=t):
            dataset.AcquisitionDate, dataset.AcquisitionTime = "20240305", f"1015{30 * t:02d}"
            dataset.CorrectedImage = ["ATTN", "SCAT"]  # not for decay

        folder = write_nm(STORED[t], name=f"frame{t}.dcm", change=change).parent
    series = io.load_dynamic(folder)
    assert series.acquisition.decay_correction == "NONE"
    assert not any("bed position" in text for text in series.warnings)


def test_projections_are_refused(write_nm):
    with pytest.raises(InputError, match="not yet reconstructed"):
        io.load_dynamic(write_nm(FLAT, image_type="TOMO", change=phases))


def test_real_breast_series_splits_into_three_phases(data):
    """GE: AcquisitionNumber is one for both frames after contrast, only ContentTime tells (10:25:51, 32:38, 38:32)."""
    folder = data / "dce_breast_dicom" / "UCSF-BR-06"
    series = io.load_dynamic(folder)
    assert series.frames.shape == (3, 60, 256, 256)
    assert np.array_equal(series.times_s, [0.0, 407.0, 761.0])
    assert series.acquisition.protocol["repetition_time_ms"] == 8.2
    assert series.acquisition.protocol["flip_angle_deg"] == 20.0
    assert series.acquisition.protocol["field_strength_t"] == 1.5  # the file says 15000: gauss
    for t, name in enumerate(("1-031.dcm", "2-031.dcm", "2-091.dcm")):
        plane = pydicom.dcmread(folder / "image_dce_3dfgre_orig" / name)
        point = np.array([*plane.ImagePositionPatient, 1.0], dtype=float)
        z = round((series.geometry.physical_to_index @ point)[2])
        assert np.array_equal(series.frames[t, z], plane.pixel_array)
