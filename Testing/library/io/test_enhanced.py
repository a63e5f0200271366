"""Enhanced multi-frame objects: one stack from functional groups, several stacks or phases refused by name."""

from __future__ import annotations

import bonequant.io as io
import numpy as np
import pydicom
import pytest
from bonequant.errors import AmbiguousInputError, GeometryError
from pydicom.sequence import Sequence

ENHANCED_CT, ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.4.1"
STORED = np.random.default_rng(2).integers(0, 2000, (5, 3, 4)).astype(np.uint16)


def item(**attributes):
    dataset = pydicom.Dataset()
    for name, value in attributes.items():
        setattr(dataset, name, Sequence([value]) if isinstance(value, pydicom.Dataset) else value)
    return dataset


@pytest.fixture
def write(write_nm):
    """An enhanced object out of the multi-frame writer: frames in the given order of heights."""

    def make(array, heights, stacks=None, orientations=None, slopes=None, sop_class=ENHANCED_CT):
        def change(dataset):
            for name in ("DetectorInformationSequence", "SliceVector", "NumberOfSlices", "FrameIncrementPointer",
                         "PixelSpacing", "SpacingBetweenSlices", "SliceThickness"):  # fmt: skip
                del dataset[name]
            dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = sop_class
            dataset.Modality = "CT" if sop_class == ENHANCED_CT else "MR"
            dataset.SharedFunctionalGroupsSequence = Sequence(
                [item(PixelMeasuresSequence=item(PixelSpacing=[2.0, 1.5], SliceThickness=3.0))]
            )
            dataset.PerFrameFunctionalGroupsSequence = Sequence(
                item(
                    PlanePositionSequence=item(ImagePositionPatient=[-5.0, -6.0, height]),
                    PlaneOrientationSequence=item(
                        ImageOrientationPatient=list(orientations[k] if orientations else (1, 0, 0, 0, 1, 0))
                    ),
                    PixelValueTransformationSequence=item(
                        RescaleSlope=slopes[k] if slopes else 1, RescaleIntercept=-1000, RescaleType="HU"
                    ),
                    FrameContentSequence=item(StackID=stacks[k] if stacks else "1"),
                )
                for k, height in enumerate(heights)
            )

        return write_nm(array, name="enhanced.dcm", change=change)

    return make


def test_frames_are_ordered_by_position_and_rescaled_one_by_one(write):
    order = np.array([3, 0, 4, 1, 2])
    volume = io.load(write(STORED[order], (order * 2.5).tolist(), slopes=(order + 1).tolist()))
    assert (volume.modality, volume.unit) == ("CT", "HU")
    assert np.array_equal(volume.array, STORED * np.arange(1, 6)[:, None, None] - 1000)
    assert volume.geometry.spacing == (1.5, 2.0, 2.5)
    assert volume.geometry.origin == (-5, -6, 0)


def test_several_stacks_must_be_chosen(write):
    sagittal, axial = (0, 1, 0, 0, 0, -1), (1, 0, 0, 0, 1, 0)
    path = write(STORED, [0, 3, 6, 1, 1], stacks=["a", "a", "a", "b", "b"],
                 orientations=[axial] * 3 + [sagittal] * 2)  # fmt: skip
    with pytest.raises(AmbiguousInputError, match=r'stack="a": 3 frames.*stack="b": 2 frames'):
        io.load(path)
    assert np.array_equal(io.load(path, stack="a").array, STORED[:3].astype(int) - 1000)


def test_phases_are_refused(write):
    with pytest.raises(GeometryError, match="2 phases x 5 slices"):
        io.load(write(np.concatenate([STORED, STORED]), [0, 3, 6, 9, 12] * 2, sop_class=ENHANCED_MR))


def test_multi_frame_without_groups_is_refused(write_nm):
    def strip(dataset):
        for name in ("DetectorInformationSequence", "SliceVector"):
            del dataset[name]
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7.2"
        dataset.Modality = "OT"

    with pytest.raises(GeometryError, match="no functional groups"):
        io.load(write_nm(STORED, change=strip))
