"""Every module's panel is constructed, entered, left and put away, and leaves nothing behind on the scene."""

from __future__ import annotations

import gc
import weakref

import pytest

from Testing import host

PANELS = [name for name in host.MODULES if name != "BoneQuantCore"]


@pytest.mark.parametrize("name", PANELS)
def test_panel_is_constructed_entered_and_left(app, name):
    import slicer

    panel = app.open(name)
    assert panel.parent.isEntered
    assert slicer.util.mainWindow().moduleSelector().selectedModule == name
    app.leave()
    assert not panel.parent.isEntered


@pytest.mark.parametrize("name", PANELS)
def test_a_module_that_was_left_observes_no_node_and_survives_a_closed_scene(app, name):
    from Testing.host.observers import observed

    before = observed(app.scene)
    app.open(name)
    app.leave()
    left = {key: count for key, count in observed(app.scene).items() if key != "scene" and key not in before}
    app.close_scene()
    after = {key: count for key, count in observed(app.scene).items() if key != "scene" and key not in before}
    assert (left, after) == ({}, {})
    app.open(name)
    assert app.errors == []


@pytest.mark.parametrize("name", PANELS)
def test_closing_the_scene_under_an_open_panel_is_no_error(app, name):
    app.open(name)
    app.close_scene()
    app.close_scene()
    assert app.errors == []


@pytest.mark.parametrize("name", PANELS)
def test_an_unloaded_panel_is_gone_with_all_its_observers(app, name):
    from Testing.host.observers import observed

    before = observed(app.scene)
    panel = weakref.ref(app.open(name))
    app.leave()
    app.application.moduleManager().unloadModules()
    app.process()
    gc.collect()
    assert observed(app.scene) == before
    assert panel() is None


@pytest.mark.parametrize("name", PANELS)
def test_a_scene_that_is_opened_under_the_panel_is_shown_in_every_selector(app, name, tmp_path):
    """The parameter node is read before the nodes that it refers to: selectors are filled when all are there."""
    import numpy as np
    import qt
    import slicer
    from bonequant import mrml
    from bonequant.volume import DynamicSeries, Geometry, Volume, image_from_array

    panel = app.open(name)
    grid = Geometry((7, 6, 5), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    series = DynamicSeries(np.ones((4, *grid.shape), np.float32), 3.0 * np.arange(4), grid, modality="MR")
    mask = image_from_array(np.ones(grid.shape, np.uint8), grid)
    content = {
        "vtkMRMLScalarVolumeNode": Volume(mask, "MR"),
        "vtkMRMLSequenceNode": series,
        "vtkMRMLSegmentationNode": {"lesion_1": mask},
    }

    def selectors():
        """Node selectors of the panel, wherever they stand; not those inside the segment editor."""
        found = [one for one in panel.parent.findChildren(qt.QWidget) if isinstance(one, slicer.qMRMLNodeComboBox)]
        return [one for one in found if one.objectName]

    for selector in selectors():
        kind = selector.nodeTypes[0]
        if kind in content and selector.currentNode() is None:
            selector.setCurrentNode(mrml.to_node(content[kind]))
    before = [selector.currentNode() and selector.currentNode().GetName() for selector in selectors()]
    assert any(before)
    app.take_errors()
    assert app.scene.SaveSceneToSlicerDataBundleDirectory(str(tmp_path))
    (scene,) = tmp_path.glob("*.mrml")
    slicer.mrmlScene.SetURL(str(scene))
    assert slicer.mrmlScene.Connect()
    app.process()
    assert [selector.currentNode() and selector.currentNode().GetName() for selector in selectors()] == before
    app.close_scene()
    assert app.errors == []


def test_panels_are_made_used_and_put_away_without_a_main_window():
    """As by Slicer's generic tests of every module, which run with --no-main-window."""
    if host.missing():
        pytest.skip(host.missing())
    with host.application(main_window=False) as app:
        import slicer

        assert (slicer.app.layoutManager(), slicer.util.mainWindow()) == (None, None)
        for name in PANELS:
            app.open(name)
            app.leave()
        app.close_scene()
        assert app.errors == []
