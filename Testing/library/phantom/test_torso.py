"""The torso is the same for the same settings, and its regions are where and as large as they should be."""

from __future__ import annotations

import numpy as np
import pytest
from bonequant.errors import InputError, SettingsError
from bonequant.phantom import CtSettings, TorsoSettings, torso
from bonequant.phantom.ct import centered_grid
from bonequant.phantom.lesions import Lesion, liver_tumours
from bonequant.phantom.truth import part_volumes_ml

COARSE = CtSettings(spacing_mm=(4.0, 4.0, 4.0)).geometry


@pytest.fixture(scope="module")
def body():
    return torso(TorsoSettings(seed=4))


def test_the_same_seed_gives_the_same_torso_and_another_seed_another(body):
    assert torso(TorsoSettings(seed=4)).parts == body.parts
    assert torso(TorsoSettings(seed=5)).parts != body.parts


def test_regions_nest(body):
    labels = body.labels(COARSE)
    masks = {name: np.isin(labels, numbers) for name, numbers in body.regions.items()}
    assert not (masks["cortical"] & masks["marrow"]).any()
    assert ((masks["cortical"] | masks["marrow"]) == masks["bone"]).all()
    for name in ("L1", "T9", "sacrum", "ilium_left", "rib_right_9", "lesion_1"):
        assert masks[name].any(), name
        assert not (masks[name] & ~masks["bone"]).any(), name
    spine = np.any([masks[f"{letter}{n}"] for letter, n in [("L", n) for n in range(1, 6)]], axis=0)
    assert not (spine & ~masks["spine"]).any()
    assert (masks["bone"] == (masks["spine"] | masks["pelvis"] | masks["ribs"] | masks["femora"])).all()


def test_vertebrae_are_apart_and_stacked(body):
    labels = body.labels(COARSE)
    z = COARSE.origin[2] + COARSE.spacing[2] * np.arange(COARSE.size[2])
    heights = [
        z[np.nonzero(np.isin(labels, body.regions[name]))[0]].mean()
        for name in ("L5", "L4", "L3", "L2", "L1", "T12", "T11", "T10", "T9")
    ]
    steps = np.diff(heights)
    assert np.all((steps > 20) & (steps < 45))  # thoracic 25 mm to lumbar 38 mm pitch


def test_coverage_volume_agrees_with_counted_volume(body):
    """Two ways to the volume: fractions painted on 2 mm voxels, and points counted on 1 mm cubes (0.5 % each)."""
    field = centered_grid((2.0, 2.0, 2.0), (130.0, 130.0, 130.0), (0.0, 45.0, 20.0))
    counted = part_volumes_ml(body, field)
    regions = body.regions
    names = ("L3", "L2", "L1", "canal", "disc")
    inside = [[1.0 if number in regions[name] else 0.0 for number in range(1, len(body.parts) + 1)] for name in names]
    fractions, _ = body.paint(field, inside, [0.0] * len(names))
    for name, fraction in zip(names, fractions, strict=True):
        painted = fraction.sum(dtype=float) * field.voxel_volume_ml
        assert painted == pytest.approx(counted[list(regions[name])].sum(), rel=0.01), name


def test_scale_cubes_the_volume():
    """A lesion is an ellipsoid of known volume: 4/3 pi abc scale^3, counted on 1 mm cubes (0.5 % at 10 mL)."""
    lesion = Lesion("liver", "liver_tumour", (-75.0, -10.0, 95.0), (14.0, 12.0, 11.0), 4.0)
    body = torso(TorsoSettings(lesions="none", scale=1.1), (lesion,))
    expected = 4 / 3 * np.pi * 14 * 12 * 11 * 1.1**3 / 1000
    field = centered_grid((2.0, 2.0, 2.0), (40.0, 40.0, 40.0), (-82.5, -11.0, 104.5))
    volume = part_volumes_ml(body, field)[list(body.regions["lesion_1"])].sum()
    assert volume == pytest.approx(expected, rel=0.005)


def test_unknown_names_are_refused(body):
    with pytest.raises(InputError, match="no region 'femur'"):
        body.masks(COARSE, ["femur"])
    with pytest.raises(InputError, match="host 'L9'"):
        torso(TorsoSettings(), (Lesion("L9", "lytic", (0, 0, 0), (5, 5, 5), 1.0),))
    with pytest.raises(SettingsError, match="lytic, blastic"):
        Lesion("L1", "cystic", (0, 0, 0), (5, 5, 5), 1.0)


def test_liver_tumours_that_find_no_room_end_in_an_error():
    assert len(liver_tumours(8, np.random.default_rng(3))) == 8
    with pytest.raises(SettingsError, match="40 liver tumours find no room"):
        liver_tumours(40, np.random.default_rng(3))
