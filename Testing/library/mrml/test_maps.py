"""Maps say what they are in codes, look like it, and lie in their study's folder."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant import mrml
from bonequant.errors import InputError
from bonequant.volume import Volume


def ktrans() -> Volume:
    values = np.linspace(0.0, 0.4, 60, dtype=np.float32).reshape(3, 4, 5)
    values[0, 0, 0] = np.nan
    return Volume(sitk.GetImageFromArray(values), "MR", "1/min", name="ktrans")


@pytest.mark.parametrize(
    ("quantity", "unit", "code", "unit_code"),
    [
        ("ktrans", "1/min", "126312", "/min"),  # PS3.16, CID 4107
        ("kep", "1/min", "126313", "/min"),
        ("ve", "", "126314", "1"),
        ("vp", "", "126331", "1"),
        ("suv", "SUVbw", "126401", "g/ml{SUVbw}"),
        ("alp", "mL/min/100 mL", "alp", "ml/min/(100.ml)"),
        ("hpi", "%", "hpi", "%"),
        ("adc", "mm2/s", "113041", "mm2/s"),
        ("adc", "", "113041", "um2/s"),
    ],
)
def test_quantity_and_unit_are_coded_and_come_back(scene, quantity, unit, code, unit_code):
    volume = Volume(ktrans().image, "MR", unit)
    node = mrml.map_to_node(volume, quantity)
    assert node.GetName() == quantity
    assert node.GetVoxelValueQuantity().GetCodeValue() == code
    assert node.GetVoxelValueUnits().GetCodeValue() == unit_code
    assert mrml.from_node(node).unit == unit


def test_two_dates_share_a_window_and_fractions_their_natural_one(scene):
    before, after = (mrml.map_to_node(ktrans(), "ktrans", name, window=(0.0, 0.5)) for name in ("before", "after"))
    for node in (before, after):
        display = node.GetDisplayNode()
        assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0.0, 0.5)
        assert not display.GetAutoWindowLevel()
        assert display.GetColorNode().GetName() == "Iron"
    own = mrml.map_to_node(ktrans(), "ktrans").GetDisplayNode()
    assert own.GetWindowLevelMax() == pytest.approx(np.nanpercentile(ktrans().array, 99.0), rel=1e-6)
    assert mrml.map_to_node(ktrans(), "ve").GetDisplayNode().GetWindowLevelMax() == 1.0


def test_a_map_without_values_or_codes(scene):
    empty = Volume(sitk.Image(3, 3, 3, sitk.sitkFloat32) * np.nan, "MR", "1/min")
    assert mrml.map_to_node(empty, "ktrans").GetDisplayNode().GetWindowLevelMax() == 1.0
    with pytest.raises(InputError, match="No codes are known"):
        mrml.map_to_node(ktrans(), "ktransx")
    with pytest.raises(InputError, match="high end"):
        mrml.map_to_node(ktrans(), "ktrans", window=(1.0, 1.0))


def test_maps_keep_code_and_colour_in_a_saved_scene(scene, tmp_path):
    mrml.map_to_node(ktrans(), "ktrans", "Ktrans", window=(0.0, 0.5))
    reopened = mrml.read_scene(mrml.save_scene(scene, tmp_path / "maps.mrb"))
    node = reopened.GetFirstNodeByName("Ktrans")
    assert node.GetVoxelValueQuantity().GetCodeMeaning() == "Ktrans"
    assert node.GetAttribute("BoneQuant.Quantity") == "ktrans"
    assert node.GetDisplayNode().GetWindowLevelMax() == pytest.approx(0.5)


def test_nodes_lie_in_their_study(scene):
    hierarchy = scene.GetSubjectHierarchyNode()
    first, second = (mrml.map_to_node(ktrans(), "ktrans", name) for name in ("first", "second"))
    folder = mrml.place([first], "DCE before", "Maps")
    assert mrml.place([second], "DCE before", "Maps") == folder
    assert mrml.place([first, second], "DCE before", "Maps") == folder
    for node in (first, second):
        assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == folder
    assert hierarchy.GetItemName(hierarchy.GetItemParent(folder)) == "DCE before"
    with pytest.raises(InputError, match="needs a folder"):
        mrml.place([first])
