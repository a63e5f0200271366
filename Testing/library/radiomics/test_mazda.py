"""MaZda's 279 features against values that can be worked out by hand, and against their symmetries."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.radiomics import MazdaSettings, RadiomicsSettings, extract, feature_names
from bonequant.radiomics.mazda.names import GROUPS, NAMES
from bonequant.radiomics.mazda.run_length import run_lengths


def features(section: np.ndarray, mask: np.ndarray | None = None, **settings):
    mask = np.ones(section.shape, dtype=bool) if mask is None else mask
    image = sitk.GetImageFromArray(section[None])
    region = sitk.GetImageFromArray(mask[None].astype(np.uint8))
    return extract(image, region, RadiomicsSettings(mazda=MazdaSettings(**settings)))


def disc(radius: int, size: int = 80) -> np.ndarray:
    y, x = np.indices((size, size)) - size // 2
    return x**2 + y**2 <= radius**2


def noise(size: int = 80, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(100.0, 20.0, (size, size))


def test_there_are_279_names_in_the_groups_of_the_manual():
    assert [len(names) for names in GROUPS.values()] == [9, 5, 20, 220, 5, 20]
    assert len(set(NAMES)) == 279
    assert feature_names() == NAMES
    for name in (
        *("S(1,0)AngScMom", "S(5,-5)DifEntrp", "45dgr_RLNonUni", "135dr_Fraction", "Horzl_LngREmph", "Vertl_GLevNonU"),
        *("GrMean", "GrNonZeros", "Teta1", "Sigma", "WavEnLL_s-1", "WavEnHH_s-5", "Perc.01%", "Perc.99%"),
    ):
        assert name in NAMES


@pytest.mark.parametrize(("radius", "missing"), [(30, 4), (14, 8), (8, 12)])
def test_haar_energies_are_missing_where_no_block_fits(radius, missing):
    found = features(noise(), disc(radius))
    assert tuple(found) == NAMES
    assert len(found.missing) == missing
    assert set(found.missing) == set(NAMES[-missing:])
    assert all(math.isnan(found[name]) and "fits" in found.missing[name] for name in found.missing)


def swap_of_a_quarter_turn(name: str) -> str:
    """The name of the same direction after np.rot90."""
    for pair in (("Horzl", "Vertl"), ("45dgr", "135dr"), ("WavEnLH", "WavEnHL")):
        for one, other in (pair, pair[::-1]):
            if name.startswith(one):
                return name.replace(one, other)
    if name.startswith("S("):
        x, y = map(int, name[2 : name.index(")")].split(","))
        turned = {(True, False): (0, x), (False, True): (y, 0)}.get((x != 0, y != 0), (x, -y))
        return f"S({turned[0]},{turned[1]}){name[name.index(')') + 1 :]}"
    return name


@pytest.mark.parametrize("normalisation", ["none", "sigma", "percentile"])
def test_a_quarter_turn_permutes_directions(normalisation):
    """A full 64 x 64 square: its Haar blocks stay blocks. The causal model has no such symmetry."""
    image = np.cumsum(noise(64), axis=1)  # unlike along x and y
    before, after = (
        features(picture, normalisation=normalisation) for picture in (image, np.ascontiguousarray(np.rot90(image)))
    )
    assert not before.missing
    changed = 0
    for name in NAMES:
        if name not in GROUPS["autoregressive"]:
            assert after[swap_of_a_quarter_turn(name)] == pytest.approx(before[name], rel=1e-9, abs=1e-12), name
            changed += not math.isclose(after[name], before[name], rel_tol=1e-6)
    assert changed > 200  # the permutation is not the identity


def test_normalised_features_do_not_depend_on_gain_and_offset():
    first, second = features(noise(), disc(30)), features(4.0 * noise() - 1000.0, disc(30))
    for name in NAMES:
        assert second[name] == pytest.approx(first[name], rel=1e-9, nan_ok=True), name


def test_pixels_outside_the_region_do_not_matter():
    image = noise()
    elsewhere = np.where(disc(30), image, -5000.0)
    assert dict(features(image, disc(30))) == pytest.approx(dict(features(elsewhere, disc(30))), nan_ok=True)


@pytest.mark.parametrize("level", [7.0, 123.456])  # NumPy's SD of the second is not 0
def test_a_constant_image(level):
    found = features(np.full((64, 64), level))
    assert found["Mean"] == found["Perc.50%"] == 128.0
    one = {"Fraction": 1 / 64, "LngREmph": 64.0**2, "ShrtREmp": 1 / 64**2, "RLNonUni": 64.0, "GLevNonU": 64.0}
    for name, value in one.items():
        assert found[f"Horzl_{name}"] == pytest.approx(value)
        assert found[f"Vertl_{name}"] == pytest.approx(value)
    assert found["Variance"] == found["GrMean"] == found["GrNonZeros"] == 0.0
    assert found["S(1,0)AngScMom"] == found["S(3,-3)InvDfMom"] == 1.0
    assert found["S(1,0)Entropy"] == found["S(1,0)Contrast"] == 0.0
    missing = {"Skewness", "Kurtosis", "GrSkewness", "GrKurtosis", *GROUPS["autoregressive"]}
    missing |= {name for name in NAMES if name.endswith("Correlat")}
    assert set(found.missing) == missing
    assert all("equal" in reason for reason in found.missing.values())


def test_a_checkerboard():
    y, x = np.indices((64, 64))
    board = np.where((x + y) % 2, 200, 56).astype(np.uint8)  # 6-bit levels 14 and 50
    found = features(board, normalisation="none", entropy_log="2")
    assert found["Mean"] == 128.0
    assert found["Variance"] == 72.0**2
    assert found["Kurtosis"] == pytest.approx(-2.0)
    assert found["S(1,0)Contrast"] == 36.0**2
    assert found["S(1,0)Correlat"] == pytest.approx(-1.0)
    assert found["S(1,1)Contrast"] == 0.0
    assert found["S(2,0)Correlat"] == pytest.approx(1.0)
    assert found["S(1,0)SumAverg"] == 66.0  # levels count from 1: 15 + 51
    assert found["S(1,0)Entropy"] == 1.0
    assert found["S(1,0)SumEntrp"] == found["S(1,0)SumVarnc"] == found["S(1,0)DifEntrp"] == 0.0
    assert found["S(1,0)SumOfSqs"] == 18.0**2
    assert found["S(1,0)AngScMom"] == 0.5
    assert found["S(1,0)InvDfMom"] == pytest.approx(1 / (1 + 36.0**2))
    assert found["Horzl_ShrtREmp"] == found["Horzl_Fraction"] == 1.0
    assert found["45dgr_Fraction"] == pytest.approx(127 / 64**2)  # one run a diagonal
    assert found["WavEnHH_s-1"] == 144.0**2
    assert found["WavEnLH_s-1"] == found["WavEnHL_s-1"] == found["WavEnHH_s-2"] == 0.0
    assert found["WavEnLL_s-1"] == 256.0**2
    assert found["GrMean"] == 0.0  # the second neighbours of a pixel are equal


def test_a_ramp_has_a_gradient_of_four_pixels():
    ramp = np.tile((16 * np.arange(16)).astype(np.uint8), (16, 1))  # 4-bit levels 0 to 15
    assert features(ramp, normalisation="none")["GrMean"] == 4.0
    assert features(ramp, normalisation="none", gradient_size="3x3")["GrMean"] == 2.0


def test_runs_of_a_small_image_by_hand():
    """Four levels, runs counted by eye; the example of Galloway 1975, figure 1."""
    levels = np.array([[0, 1, 2, 3], [0, 2, 3, 3], [2, 1, 1, 1], [3, 0, 3, 0]])
    found = run_lengths(levels, np.ones((4, 4), dtype=bool))
    # Horizontal: 4 + 3 (one of two) + 2 (one of three) + 4 = 13 runs: 11 of one, 1 of two, 1 of three pixels.
    assert found["Horzl_Fraction"] == 13 / 16
    assert found["Horzl_RLNonUni"] == pytest.approx((11**2 + 1 + 1) / 13)
    assert found["Horzl_ShrtREmp"] == pytest.approx((11 + 1 / 4 + 1 / 9) / 13)
    assert found["Horzl_LngREmph"] == pytest.approx((11 + 4 + 9) / 13)
    assert found["Horzl_GLevNonU"] == pytest.approx((4**2 + 2**2 + 3**2 + 4**2) / 13)
    # Up and to the right one run of three 2 and one of two 3, down and to the right only one of two 3.
    assert found["45dgr_Fraction"] == 13 / 16
    assert found["45dgr_LngREmph"] == pytest.approx((11 + 4 + 9) / 13)


@pytest.mark.parametrize("normalisation", ["none", "sigma"])
def test_a_known_autoregressive_process_is_recovered(normalisation):
    """600 x 600 pixels: the standard error of a coefficient is below 0.002, 1 % of the smallest here."""
    theta = (0.5, -0.25, 0.35, 0.2)  # W, NW, N, NE
    size, edge = 700, 100
    random = np.random.default_rng(5)
    field = np.zeros((size, size + 2))
    for row in range(1, size):
        drive = 10.0 * random.normal(size=size + 2)
        drive[1:-1] += theta[1] * field[row - 1, :-2] + theta[2] * field[row - 1, 1:-1] + theta[3] * field[row - 1, 2:]
        value = 0.0
        for column in range(1, size + 1):
            value = field[row, column] = theta[0] * value + drive[column]
    section = field[edge:, edge:-edge]
    found = features(section, normalisation=normalisation)
    for name, value in zip(("Teta1", "Teta2", "Teta3", "Teta4"), theta, strict=True):
        assert found[name] == pytest.approx(value, rel=0.02)
    unit = 1.0 if normalisation == "none" else 256 / (6 * section.std())
    assert found["Sigma"] == pytest.approx(10.0 * unit, rel=0.02)
    relative = features(section, normalisation=normalisation, ar_sigma="relative")
    assert relative["Sigma"] == pytest.approx(10.0 / section.std(), rel=0.02)
    other = features(section, normalisation=normalisation, ar_order="NW,N,NE,W")
    assert [other[f"Teta{n}"] for n in (1, 2, 3, 4)] == pytest.approx([found[f"Teta{n}"] for n in (2, 3, 4, 1)])


def test_a_single_pixel_and_a_line():
    pixel, line = np.zeros((80, 80), dtype=bool), np.zeros((80, 80), dtype=bool)
    pixel[40, 40] = True
    line[40, 20:60] = True
    one, row = features(noise(), pixel), features(noise(), line)
    assert len(one) == len(row) == 279
    exists = {"Mean", "Variance", *(name for name in GROUPS["histogram"] if name.startswith("Perc"))}
    assert {name for name in NAMES if not math.isnan(one[name])} == exists | set(GROUPS["run length"])
    assert one["Vertl_Fraction"] == 1.0
    along = {name for name in GROUPS["co-occurrence"] if ",0)" in name}
    lost = set(NAMES) - set(GROUPS["histogram"]) - set(GROUPS["run length"]) - along
    assert set(row.missing) == lost
    assert set(one.missing) == set(NAMES) - exists - set(GROUPS["run length"])
    assert "(0,1) apart" in row.missing["S(0,1)Contrast"]


def test_levels_and_percentiles_of_eight_bit_images():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    found = features(image, normalisation="none")
    assert (found["Mean"], found["Variance"]) == (127.5, (256**2 - 1) / 12)
    assert [found[f"Perc.{p}%"] for p in ("01", "10", "50", "90", "99")] == [2, 25, 127, 230, 253]


def test_entropy_in_another_base_and_one_way_matrices():
    image = noise()
    ten, two = features(image, disc(20)), features(image, disc(20), entropy_log="2")
    assert two["S(2,2)Entropy"] == pytest.approx(ten["S(2,2)Entropy"] * math.log2(10))
    assert ten["S(2,2)Entropy"] < math.log10(64**2)
    ramp = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))  # every right neighbour is one level higher
    found = features(ramp, normalisation="none", symmetric=False, entropy_log="2")
    assert found["S(1,0)AngScMom"] == pytest.approx(1 / 63)
    assert features(ramp, normalisation="none")["S(1,0)AngScMom"] == pytest.approx(1 / 126)
