"""Classic dynamic series: every way in which scanners number and time the frames, and what is refused."""

from __future__ import annotations

import bonequant.io as io
import numpy as np
import pydicom
import pytest
from bonequant.errors import AmbiguousInputError, GeometryError, InputError, MissingFactError

MR = "1.2.840.10008.5.1.4.1.1.4"
TIMES = np.array([0.0, 11.5, 16.7, 21.9])  # a first gap of its own: the pre-contrast frame, then 5.2 s per frame
STORED = np.random.default_rng(5).integers(0, 3000, (len(TIMES), 3, 4, 5)).astype(np.uint16)
SPACING_MM = 3.0


def clock(seconds: float) -> str:
    whole = 13 * 3600 + 59 * 60 + 50 + seconds  # passes the full hour
    return f"{int(whole // 3600):02d}{int(whole % 3600 // 60):02d}{whole % 60:09.6f}"


@pytest.fixture
def write(write_slices):
    """A series of all frames; ``stamp(dataset, t, z)`` adds what tells time, or returns False to leave a slice out."""

    def make(stamp, array=STORED, folder="series", **attributes):
        count, slices = array.shape[:2]

        def each(k, dataset):
            t, z = divmod(k, slices)
            dataset.ImagePositionPatient = [-10.0, -20.0, 100.0 + SPACING_MM * z]
            # Instance numbers run through the positions first: they do not tell the phases apart on their own.
            dataset.InstanceNumber = z * count + t + 1
            return stamp(dataset, t, z)

        flat = array.reshape(-1, *array.shape[2:])
        return write_slices(flat, folder=folder, sop_class=MR, modality="MR", each=each, **attributes)

    return make


def temporal_position(dataset, t, z):
    dataset.TemporalPositionIdentifier = t + 1
    dataset.AcquisitionTime = clock(TIMES[t])


def philips(dataset, t, z):  # one acquisition time for all; the trigger time counts from the start of the dynamic scan
    dataset.AcquisitionTime = clock(0.0)
    dataset.TemporalPositionIdentifier = t + 1
    dataset.TriggerTime = 1000 * TIMES[t]


def trigger_alone(dataset, t, z):
    dataset.TriggerTime = 1000 * TIMES[t]


def siemens(dataset, t, z):
    dataset.AcquisitionDate, dataset.AcquisitionTime = "20240312", clock(TIMES[t])
    dataset.AcquisitionNumber = t + 1


def whole_date_time(dataset, t, z):
    dataset.AcquisitionDateTime = "20240312" + clock(TIMES[t])


def acquisition_number_shared(dataset, t, z):  # GE: one number for all frames after contrast
    dataset.AcquisitionNumber = 1 if t == 0 else 2
    dataset.ContentTime = clock(TIMES[t])


def constant_temporal_position(dataset, t, z):
    dataset.TemporalPositionIdentifier = 1
    dataset.TriggerTime = 0
    dataset.AcquisitionTime = clock(TIMES[t])


@pytest.mark.parametrize(
    ("stamp", "told_by"),
    [
        (temporal_position, "TemporalPositionIdentifier"),
        (philips, "TemporalPositionIdentifier"),
        (trigger_alone, "TriggerTime"),
        (siemens, "AcquisitionTime"),
        (whole_date_time, "AcquisitionTime"),
        (acquisition_number_shared, "ContentTime"),
        (constant_temporal_position, "AcquisitionTime"),
    ],
)
def test_every_way_of_timing_gives_the_same_series(write, stamp, told_by):
    series = io.load_dynamic(write(stamp))
    assert np.array_equal(series.frames, STORED)
    assert series.times_s == pytest.approx(TIMES, abs=1e-9)
    assert series.acquisition.protocol["phases_told_by"] == told_by
    assert series.geometry.origin == (-10.0, -20.0, 100.0)
    assert any("11.5 s after frame 1" in warning for warning in series.warnings)  # the wide first gap is said


def test_slices_with_times_of_their_own_are_told_by_their_order(write):
    offsets = np.array([0.0, 3.2, 1.6])  # interleaved slices

    def stamp(dataset, t, z):
        dataset.AcquisitionTime = clock(TIMES[t] + offsets[z])

    series = io.load_dynamic(write(stamp))
    assert np.array_equal(series.frames, STORED)
    assert series.times_s == pytest.approx(TIMES, abs=1e-6)
    assert series.acquisition.protocol["slice_time_offsets_s"] == pytest.approx(offsets - offsets.mean(), abs=1e-6)
    assert any("up to 3.2 s apart" in warning for warning in series.warnings)


def test_trigger_times_of_a_heart_beat_give_way_to_acquisition_times(write):
    def stamp(dataset, t, z):
        dataset.TriggerTime = 20.0 * t  # ms after the R wave
        dataset.AcquisitionTime = clock(TIMES[t])

    series = io.load_dynamic(write(stamp))
    assert series.times_s == pytest.approx(TIMES, abs=1e-9)
    assert any("Trigger Time" in warning for warning in series.warnings)


def test_midnight_without_a_date(write):
    def stamp(dataset, t, z):
        seconds = 86395.0 + TIMES[t]
        whole = seconds % 86400
        dataset.AcquisitionTime = f"{int(whole // 3600):02d}{int(whole % 3600 // 60):02d}{whole % 60:09.6f}"

    series = io.load_dynamic(write(stamp))
    assert np.array_equal(series.frames, STORED)
    assert series.times_s == pytest.approx(TIMES, abs=1e-9)


def test_rescale_of_every_slice_its_own(write):
    def stamp(dataset, t, z):
        temporal_position(dataset, t, z)
        dataset.RescaleSlope, dataset.RescaleIntercept = 1 + t, 10 * z

    expected = STORED * (1.0 + np.arange(4))[:, None, None, None] + 10.0 * np.arange(3)[None, :, None, None]
    assert np.array_equal(io.load_dynamic(write(stamp)).frames, expected)


def test_one_series_per_phase_and_a_series_beside_them(write):
    for t, name in enumerate(("Ph1/Ax LAVA", "Ph2/Ax LAVA", "Ph3/Ax LAVA")):

        def stamp(dataset, _, z, t=t):
            dataset.AcquisitionTime = clock(TIMES[t])

        write(stamp, STORED[t : t + 1], folder=f"all/{t}", SeriesDescription=name, SeriesNumber=10 + t, FlipAngle=12)
    other = write(lambda dataset, t, z: None, STORED[:1], folder="all/t2", SeriesDescription="Ax T2", SeriesNumber=20)
    series = io.load_dynamic(other.parent)
    assert np.array_equal(series.frames, STORED[:3])
    assert series.times_s == pytest.approx(TIMES[:3], abs=1e-9)
    assert any('"Ax T2"' in warning for warning in series.warnings)
    joined = io.load_dynamic(other.parent, series=[10, 12])
    assert np.array_equal(joined.frames, STORED[[0, 2]])


def test_flip_angles_are_no_time_series(write):
    def stamp(dataset, t, z):
        temporal_position(dataset, t, z)
        dataset.FlipAngle = 2 + 5 * t

    folder = write(stamp)
    with pytest.raises(InputError, match="no dynamic series"):
        io.load_dynamic(folder)
    assert np.array_equal(io.load(folder, series="FA 7.0").array, STORED[1])


def test_missing_slices_are_named(write):
    def stamp(dataset, t, z):
        temporal_position(dataset, t, z)
        return (t, z) != (2, 1)

    with pytest.raises(GeometryError, match=r"frame 3 of 4 lacks 1 slice at 103\.00 mm"):
        io.load_dynamic(write(stamp))


def test_missing_slices_are_named_without_labels(write):
    def stamp(dataset, t, z):
        dataset.AcquisitionTime = clock(TIMES[t] + z)
        return (t, z) != (2, 1)

    with pytest.raises(GeometryError, match=r"3 times at 103\.00 mm"):
        io.load_dynamic(write(stamp))


def test_no_times_at_all(write):
    def stamp(dataset, t, z):
        dataset.TemporalPositionIdentifier = t + 1

    folder = write(stamp)
    with pytest.raises(MissingFactError, match="Give times_s, 4 numbers") as caught:
        io.load_dynamic(folder)
    assert caught.value.fact == "times_s"
    series = io.load_dynamic(folder, times_s=TIMES)
    assert np.array_equal(series.frames, STORED)
    assert np.array_equal(series.times_s, TIMES)
    assert series.acquisition.protocol["frame_times_from"] == "given by the caller"


def test_temporal_resolution_serves_with_a_warning(write):
    def stamp(dataset, t, z):
        dataset.TemporalPositionIdentifier, dataset.TemporalResolution = t + 1, 5200

    series = io.load_dynamic(write(stamp))
    assert series.times_s == pytest.approx(5.2 * np.arange(4))
    assert any("Temporal Resolution" in warning for warning in series.warnings)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0, 5, 5, 10], "frames 2 and 3 have the same time"),
        ([0, 5, 3, 10], "frames 2 and 3 have decreasing times"),
        ([0, 5, 10], "4 frames; times_s has 3"),
        ([0, 5, np.nan, 10], r"times_s\[2\] is not finite"),
        ("soon", "takes 4 numbers"),
    ],
)
def test_impossible_times(write, times, message):
    with pytest.raises(InputError, match=message):
        io.load_dynamic(write(temporal_position), times_s=times)


def test_nothing_tells_the_phases_apart(write):
    def stamp(dataset, t, z):
        dataset.InstanceNumber = 1

    with pytest.raises(InputError, match="no time, temporal position or instance number"):
        io.load_dynamic(write(stamp), times_s=TIMES)


def test_a_frame_that_lies_elsewhere(write):
    def stamp(dataset, t, z):
        temporal_position(dataset, t, z)
        if t == 2:
            dataset.ImagePositionPatient = [-7.0, -20.0, 100.0 + SPACING_MM * z]

    with pytest.raises(GeometryError, match=r"frame 3 lies 3\.00 mm away"):
        io.load_dynamic(write(stamp))


def test_two_dynamic_series_are_listed_and_one_volume_is_no_series(write):
    write(temporal_position, folder="all/a", SeriesDescription="dyn early", SeriesNumber=1)
    folder = write(temporal_position, folder="all/b", SeriesDescription="dyn late", SeriesNumber=2).parent
    with pytest.raises(AmbiguousInputError, match=r"dyn early.*dyn late"):
        io.load_dynamic(folder)
    assert io.load_dynamic(folder, series="dyn late").frames.shape == STORED.shape
    single = write(temporal_position, STORED[:1], folder="single")
    with pytest.raises(InputError, match="no dynamic series"):
        io.load_dynamic(single)


def test_load_points_to_load_dynamic(write):
    with pytest.raises(GeometryError, match=r"load_dynamic\(\)"):
        io.load(write(temporal_position))


def test_progress_can_stop_the_reading(write):
    from bonequant.errors import Cancelled

    def stop(fraction, message):
        if fraction > 0.5:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        io.load_dynamic(write(temporal_position), progress=stop)


def test_dynamic_pet_has_the_middle_of_its_frames(write_slices):
    starts, durations = np.array([0.0, 30.0, 60.0]), np.array([30.0, 30.0, 120.0])

    def each(k, dataset):
        t, z = divmod(k, 3)
        dataset.ImagePositionPatient = [0.0, 0.0, 4.0 * z]
        dataset.AcquisitionDate, dataset.AcquisitionTime = "20240312", clock(starts[t])
        dataset.ActualFrameDuration, dataset.Units = 1000 * durations[t], "BQML"

    array = STORED[:3].reshape(-1, 4, 5)
    folder = write_slices(array, sop_class="1.2.840.10008.5.1.4.1.1.128", modality="PT", each=each)
    series = io.load_dynamic(folder)
    assert (series.modality, series.unit) == ("PT", "Bq/mL")
    assert series.times_s == pytest.approx([15.0, 45.0, 120.0])
    assert series.durations_s == pytest.approx(durations)


def test_dynamic_ct_is_in_hounsfield_units(write_slices):
    def each(k, dataset):
        t, z = divmod(k, 3)
        dataset.ImagePositionPatient = [0.0, 0.0, 4.0 * z]
        dataset.AcquisitionDate, dataset.AcquisitionTime = "20240312", clock(3.0 * t)

    series = io.load_dynamic(write_slices(STORED.reshape(-1, 4, 5), each=each))
    assert (series.modality, series.unit) == ("CT", "HU")
    assert np.array_equal(series.frames, STORED - 1024.0)
    assert series.times_s == pytest.approx([0, 3, 6, 9])


def test_the_order_of_files_does_not_matter(write):
    folder = write(siemens)
    for number, file in enumerate(sorted(folder.iterdir())):
        dataset = pydicom.dcmread(file)
        assert "TemporalPositionIdentifier" not in dataset
        file.rename(folder / f"{(number * 7) % 12:03d}.dcm")
    assert np.array_equal(io.load_dynamic(folder).frames, STORED)
