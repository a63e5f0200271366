"""Dynamic series in plain files: ours read by Slicer's core, Slicer's and nibabel's read here."""

from __future__ import annotations

import bonequant.io as io
import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError, MissingFactError
from bonequant.volume import Acquisition, DynamicSeries, Geometry

TIMES = np.array([0.0, 11.5, 16.7, 21.9, 27.123456789])
FRAMES = np.random.default_rng(6).normal(100, 30, (5, 2, 3, 4)).astype(np.float32)
OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
GRID = Geometry((4, 3, 2), (1.5, 2.0, 5.0), (-10.0, 20.5, 3.25), OBLIQUE)


@pytest.fixture
def series():
    facts = Acquisition(patient_id="secret", series_description="dyn", protocol={"flip_angle_deg": 25.0})
    return DynamicSeries(FRAMES, TIMES, GRID, "MR", "mM", facts, durations_s=np.full(5, 5.2), name="spine")


def test_round_trip_keeps_every_digit(series, tmp_path):
    path = io.write_dynamic(series, tmp_path / "a.seq.nrrd")
    read = io.load_dynamic(path)
    assert np.array_equal(read.frames, FRAMES)
    assert np.array_equal(read.times_s, TIMES)
    assert np.array_equal(read.durations_s, series.durations_s)
    assert read.geometry.size == GRID.size
    assert np.abs(read.geometry.corners() - GRID.corners()).max() < 1e-9
    assert (read.modality, read.unit, read.name) == ("MR", "mM", "spine")
    assert read.acquisition.protocol == {"flip_angle_deg": 25.0}
    assert b"secret" not in path.read_bytes()
    assert path.read_bytes() == io.write_dynamic(series, tmp_path / "b.seq.nrrd").read_bytes()


def test_the_grid_that_the_caller_gives_is_taken(series, tmp_path):
    path = io.write_dynamic(series, tmp_path / "a.seq.nrrd")
    read = io.load_dynamic(path, spacing_between_slices_mm=7, image_position_patient=(1, 2, 3))
    assert (read.geometry.spacing[2], read.geometry.origin) == (7, (1, 2, 3))
    assert read.acquisition.typed == ("image_position_patient", "spacing_between_slices_mm")


def test_slicer_reads_what_was_written_and_the_other_way_round(series, tmp_path):
    pytest.importorskip("slicer")
    from bonequant.mrml import embedded
    from bonequant.mrml.sequences import series_from_node, series_to_node

    scene = embedded()
    node = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "read")
    node.AddDefaultStorageNode()
    storage = scene.AddNewNodeByClass("vtkMRMLVolumeSequenceStorageNode")
    storage.SetFileName(str(io.write_dynamic(series, tmp_path / "ours.seq.nrrd")))
    assert storage.ReadData(node)
    read = series_from_node(node)
    assert np.array_equal(read.frames, FRAMES)
    assert np.array_equal(read.times_s, TIMES)
    assert np.abs(read.geometry.corners() - GRID.corners()).max() < 1e-6

    theirs = series_to_node(series, "theirs", scene)
    storage.SetFileName(str(tmp_path / "theirs.seq.nrrd"))
    assert storage.WriteData(theirs)
    back = io.load_dynamic(tmp_path / "theirs.seq.nrrd")
    assert np.array_equal(back.frames, FRAMES)
    assert back.times_s == pytest.approx(TIMES, abs=1e-6)
    assert np.abs(back.geometry.corners() - GRID.corners()).max() < 1e-6


def nrrd(path, kinds, sizes, directions, data, *fields):
    lines = ["NRRD0005", "type: float", "dimension: 4", "space: left-posterior-superior", f"sizes: {sizes}"]
    lines += [f"space directions: {directions}", f"kinds: {kinds}", "endian: little", "encoding: raw"]
    lines += ["space origin: (1,2,3)", *fields, "", ""]
    path.write_bytes("\n".join(lines).encode() + np.ascontiguousarray(data, "<f4").tobytes())
    return path


FIRST = ("list domain domain domain", "5 4 3 2", "none (1,0,0) (0,2,0) (0,0,3)", np.moveaxis(FRAMES, 0, -1))
LAST = ("domain domain domain list", "4 3 2 5", "(1,0,0) (0,2,0) (0,0,3) none", FRAMES)


@pytest.mark.parametrize(("layout", "axis"), [(FIRST, 0), (LAST, 3)])
def test_frames_along_the_first_or_the_last_axis(tmp_path, layout, axis):
    units = ['""'] * 4
    units[axis] = '"ms"'
    values = " ".join(str(time * 1000) for time in TIMES)
    path = nrrd(tmp_path / "s.nrrd", *layout, f"units: {' '.join(units)}", f"axis {axis} index values:={values}")
    read = io.load_dynamic(path)
    assert np.array_equal(read.frames, FRAMES)
    assert read.times_s == pytest.approx(TIMES)
    assert read.geometry.spacing == (1.0, 2.0, 3.0)


def test_multi_volume_labels_are_milliseconds(tmp_path):
    labels = ",".join(str(time * 1000) for time in TIMES)
    fields = (
        f"MultiVolume.FrameLabels:={labels}",
        "MultiVolume.FrameIdentifyingDICOMTagName:=TriggerTime",
        "MultiVolume.FrameIdentifyingDICOMTagUnits:=ms",
    )
    assert io.load_dynamic(nrrd(tmp_path / "m.nrrd", *LAST, *fields)).times_s == pytest.approx(TIMES)
    angles = (fields[0], "MultiVolume.FrameIdentifyingDICOMTagName:=FlipAngle")
    with pytest.raises(InputError, match="differ in FlipAngle"):
        io.load_dynamic(nrrd(tmp_path / "f.nrrd", *LAST, *angles))


def test_info_shows_the_frames_from_the_header(series, tmp_path):
    (report,) = io.info(io.write_dynamic(series, tmp_path / "a.seq.nrrd"))
    assert (report.problems, report.missing, report.unit) == ((), (), "mM")
    assert report.times_s == tuple(TIMES.tolist())
    assert np.abs(report.geometry.corners() - GRID.corners()).max() < 1e-9
    untold = sitk.JoinSeries([series.frame(t).image for t in range(5)])
    sitk.WriteImage(untold, str(tmp_path / "untold.mha"))
    (report,) = io.info(tmp_path / "untold.mha")
    assert "times_s" in report.missing[0]
    assert report.times_s == ()


def test_frames_without_times(tmp_path):
    path = nrrd(tmp_path / "n.nrrd", *LAST)
    with pytest.raises(MissingFactError, match="Give times_s, 5 numbers"):
        io.load_dynamic(path)
    assert np.array_equal(io.load_dynamic(path, times_s=TIMES).times_s, TIMES)
    with pytest.raises(InputError, match="frames 1 and 2 have the same time"):
        io.load_dynamic(nrrd(tmp_path / "d.nrrd", *LAST, "axis 3 index values:=0 0 1 2 3"))


@pytest.mark.parametrize(("unit", "factor"), [("sec", 1.0), ("msec", 1e-3)])
def test_nifti_written_by_nibabel(tmp_path, unit, factor):
    nibabel = pytest.importorskip("nibabel")
    affine = np.diag([-1.5, -2.0, 5.0, 1.0])  # RAS; in LPS the identity
    image = nibabel.Nifti1Image(FRAMES.transpose(3, 2, 1, 0), affine)
    image.header.set_xyzt_units("mm", unit)
    image.header["pixdim"][4] = 5.2
    nibabel.save(image, tmp_path / "d.nii.gz")
    read = io.load_dynamic(tmp_path / "d.nii.gz", modality="MR")
    assert np.array_equal(read.frames, FRAMES)
    assert read.times_s == pytest.approx(5.2 * factor * np.arange(5), rel=1e-6)  # pixdim is float32
    assert read.geometry.direction == pytest.approx((1, 0, 0, 0, 1, 0, 0, 0, 1))
    image.header.set_xyzt_units("mm", "unknown")
    nibabel.save(image, tmp_path / "u.nii")
    with pytest.raises(MissingFactError, match="times_s"):
        io.load_dynamic(tmp_path / "u.nii")


def test_nan_is_kept_and_counted_or_replaced_when_asked(series, tmp_path):
    frames = FRAMES.copy()
    frames[2, 0, 1] = np.nan
    path = io.write_dynamic(series.replace(frames=frames), tmp_path / "n.seq.nrrd")
    read = io.load_dynamic(path)
    assert np.array_equal(read.frames, frames, equal_nan=True)
    assert any(warning.startswith("4 values") for warning in read.warnings)
    assert np.all(io.load_dynamic(path, replace_nan=-1).frames[2, 0, 1] == -1)


def test_what_is_no_series(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(FRAMES[0]), str(tmp_path / "v.nrrd"))
    with pytest.raises(InputError, match="no dynamic series"):
        io.load_dynamic(tmp_path / "v.nrrd")
    with pytest.raises(InputError, match="does not exist"):
        io.load_dynamic(tmp_path / "nothing")
    path = nrrd(tmp_path / "cut.nrrd", *LAST, "axis 3 index values:=0 1 2 3 4")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="truncated"):
        io.load_dynamic(path)


def test_only_sequences_are_written(series, tmp_path):
    with pytest.raises(InputError, match=r"\.seq\.nrrd"):
        io.write_dynamic(series, tmp_path / "a.nii.gz")
