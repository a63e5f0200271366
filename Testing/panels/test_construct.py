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
