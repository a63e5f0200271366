"""The healthy vertebra proposed beside a lesion lies in marrow; where nothing tells, nothing is proposed."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.phantom import simulate_spine, spine_preset
from bonequant.roi import propose_healthy_vertebra
from bonequant.volume import Volume, image_from_array

POSES = [(0.0,) * 6, (4.0, -5.0, 3.0, 4.0, -2.0, 3.0), (-5.0, 3.0, -6.0, -3.0, 3.0, -4.0)]


def scan_and_anatomy(pose):
    scan = simulate_spine(spine_preset("small", frames=6, pose=pose))
    return scan, Volume(image_from_array(scan.series.frames[:5].mean(axis=0), scan.series.geometry), "MR")


@pytest.mark.parametrize("pose", POSES)
def test_it_lies_wholly_in_the_marrow_of_the_next_vertebra(pose):
    scan, anatomy = scan_and_anatomy(pose)
    found = propose_healthy_vertebra(anatomy, scan.masks["lesion_1"])
    inside = sitk.GetArrayFromImage(found.mask) > 0
    own = {name: (sitk.GetArrayFromImage(scan.masks[name]) > 0)[inside].mean() for name in ("vertebra_4", "vertebra_6")}
    assert max(own.values()) > 0.95
    assert found.side == ("above" if own["vertebra_4"] > 0.5 else "below")
    assert np.count_nonzero(inside) > 20
    assert found.unevenness < 0.05  # noise of 1 in 20, five frames averaged
    assert any("lesion" in reason for reason in found.reasons)


def test_a_second_lesion_drives_it_to_the_other_side():
    scan, anatomy = scan_and_anatomy(POSES[0])
    first = propose_healthy_vertebra(anatomy, scan.masks["lesion_1"])
    taken = {"above": "vertebra_4", "below": "vertebra_6"}[first.side]
    other = propose_healthy_vertebra(anatomy, scan.masks["lesion_1"], {"lesion_2": scan.masks[taken]})
    assert other.side != first.side


def test_without_discs_nothing_is_proposed():
    scan, anatomy = scan_and_anatomy(POSES[0])
    flat = anatomy.with_array(np.full(anatomy.array.shape, 100.0))
    assert propose_healthy_vertebra(flat, scan.masks["lesion_1"]) is None


def test_an_empty_lesion_is_refused():
    with pytest.raises(InputError, match="empty"):
        propose_healthy_vertebra(Volume(sitk.Image(8, 8, 8, sitk.sitkFloat32)), sitk.Image(8, 8, 8, sitk.sitkUInt8))
