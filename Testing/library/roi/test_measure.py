"""Measurement: against closed forms of blurred spheres, against plain numpy where grids coincide, and its refusals."""

from __future__ import annotations

import dataclasses
import json
import tracemalloc

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import Cancelled, InputError
from bonequant.io import load, load_masks
from bonequant.phantom import NemaSettings, nema_ct, simulate_nema, sphere_diameters
from bonequant.roi import RoiMeasurement, measure, measure_many, propagate
from bonequant.volume import Volume, image_from_array
from scipy import integrate, stats

SPECT = ((26, 26, 26), (4.42, 4.42, 4.42))
CT = ((80, 80, 28), (0.98, 0.98, 3.0))


def rc_mean(radius, fwhm):
    """Mean of a blurred ball within the ball (the integral over chords of spect_ct)."""
    s = fwhm / (2 * np.sqrt(2 * np.log(2)))

    def at(d):
        overlap = 1 - 3 * d / (4 * radius) + d**3 / (16 * radius**3)
        return overlap * np.sqrt(2 / np.pi) * d**2 / s**3 * np.exp(-(d**2) / (2 * s**2))

    return integrate.quad(at, 0, 2 * radius)[0]


NUMBERS = [f.name for f in dataclasses.fields(RoiMeasurement) if f.name not in ("name", "unit", "flags")]


def random_volume(shapes, size=(20, 22, 24), spacing=(4.0, 4.0, 5.0), seed=0, **facts):
    grid = shapes.grid(size, spacing)
    values = np.random.default_rng(seed).gamma(4.0, 1.0, grid.shape)
    return Volume(image=image_from_array(values, grid), unit="SUVbw", **facts)


# --- truth ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("diameter", "tolerance", "spread"),
    [(13, 2.0, 0.4), (17, 2.0, 0.4), (22, 0.5, 0.3), (28, 0.5, 0.3), (37, 0.5, 0.3)],
)
def test_recovery_of_blurred_spheres(shapes, diameter, tolerance, spread):
    """20 positions, 10 mm FWHM, no noise, mask drawn on the CT: the issue's 0.5 +- 0.3 % for 22 mm and 2 % below."""
    spect, ct = shapes.grid(*SPECT), shapes.grid(*CT)
    random = np.random.default_rng(diameter)
    errors = []
    for _ in range(20):
        centre = random.uniform(-5, 5, 3)
        blurred = shapes.blurred_ball(np.linalg.norm(shapes.points(spect) - centre, axis=-1), diameter / 2, 10.0)
        # Sphere to background 8 : 1, as in the NEMA phantom; the background's own recovery is 1.
        volume = Volume(image=image_from_array(1.0 + 7.0 * blurred, spect))
        mean = measure(volume, shapes.ball(ct, centre, diameter / 2)).mean
        errors.append(100 * ((mean - 1.0) / 7.0 / rc_mean(diameter / 2, 10.0) - 1))
    assert abs(np.mean(errors)) < tolerance
    assert np.std(errors) < spread


@pytest.mark.parametrize("voxel", ["mean", "point"])
def test_recovery_of_the_nema_phantom(voxel):
    """The whole phantom without noise, masks of its CT: 1 % for 22 mm and more, 2 % for 13 and 17 mm (the issue's)."""
    scan = simulate_nema(NemaSettings(voxel=voxel))
    masks = nema_ct()[1]
    diameters = sphere_diameters()
    background, sphere = scan.settings.background_bq_per_ml, scan.settings.sphere_bq_per_ml
    for name, result in measure_many(scan.spect, {name: masks[name] for name in diameters}).items():
        recovery = (result.mean - background) / (sphere - background)
        if diameters[name] > 10:
            tolerance = 0.01 if diameters[name] >= 22 else 0.02
            assert recovery == pytest.approx(rc_mean(diameters[name] / 2, scan.fwhm_mm), rel=tolerance), name


def test_recovery_through_a_rigid_transform(shapes):
    """The same sphere, its image moved: the mean stays within what the voxel grid itself does (0.3 %)."""
    spect, ct = shapes.grid(*SPECT), shapes.grid(*CT)
    transform = shapes.rigid()
    moved = transform.TransformPoint((1.0, -2.0, 3.0))
    blurred = shapes.blurred_ball(np.linalg.norm(shapes.points(spect) - moved, axis=-1), 11, 10.0)
    result = measure(Volume(image=image_from_array(blurred, spect)), shapes.ball(ct, (1, -2, 3), 11), transform)
    assert result.mean == pytest.approx(rc_mean(11, 10.0), rel=0.005)
    # The hottest voxel lies within half a voxel's diagonal of the sphere's centre, in the image's space.
    assert np.linalg.norm(np.array(result.hottest_mm) - moved) < 4.42 * np.sqrt(3) / 2


def test_a_ramp_is_sampled_exactly(shapes):
    """Cubic splines reproduce a ramp; the mean is its value at the region's carried centroid."""
    grid = shapes.grid((60, 60, 60), (3.0, 3.0, 3.0), shapes.turned)
    slope = np.array([1.0, -2.0, 0.5])
    volume = Volume(image=image_from_array(500 + shapes.points(grid) @ slope, grid))
    ct = shapes.grid(*CT)
    mask = shapes.ball(ct, (3, -4, 5), 14)
    transform = shapes.rigid()
    centroid = shapes.points(ct)[shapes.array(mask) > 0].mean(axis=0)
    result = measure(volume, mask, transform)
    assert result.mean == pytest.approx(500 + slope @ transform.TransformPoint(centroid.tolist()), rel=1e-9)


def test_a_coarse_mask_counts_all_voxels_of_a_fine_image(shapes):
    """A wave as long as the mask's voxels: at their centres it is 1, its mean is 0."""
    fine, coarse = shapes.grid((88, 88, 40), (1.0, 1.0, 2.0)), shapes.grid((11, 11, 10), (8.0, 8.0, 8.0))
    wave = np.cos(2 * np.pi * shapes.points(fine)[..., 0] / 8.0)
    mask = shapes.box(coarse, (-20, -20, -20), (20, 20, 20))
    result = measure(Volume(image=image_from_array(wave, fine)), mask)
    assert result.mean == pytest.approx(0.0, abs=1e-3)
    assert result.sd == pytest.approx(np.sqrt(0.5), rel=0.01)
    assert result.max > 0.9


def test_against_the_covered_fractions_in_a_smooth_image(shapes):
    """Where the image hardly changes within a voxel both ways of averaging agree."""
    spect, ct = shapes.grid(*SPECT), shapes.grid(*CT)
    values = 10 + np.sin(shapes.points(spect) / 25.0).sum(axis=-1)
    mask = shapes.ball(ct, (2, 1, -3), 18)
    volume, transform = Volume(image=image_from_array(values, spect)), shapes.rigid()
    fractions = shapes.array(propagate(mask, volume, transform))
    assert measure(volume, mask, transform).mean == pytest.approx(np.average(values, weights=fractions), rel=2e-4)


# --- where grids coincide ---------------------------------------------------------------------------------------------


def test_on_the_same_grid_nothing_is_interpolated(shapes):
    volume = random_volume(shapes)
    mask = shapes.ball(volume.geometry, (3, 2, 1), 25)
    chosen = volume.array[shapes.array(mask) > 0]
    result = measure(volume, mask, name="L1")
    assert result.name == "L1"
    assert result.unit == "SUVbw"
    assert result.voxels == result.native_voxels == len(chosen)
    assert result.volume_ml == pytest.approx(len(chosen) * 0.08, rel=1e-12)
    assert (result.min, result.max) == (chosen.min(), chosen.max())
    for name, expected in {
        "mean": chosen.mean(),
        "sd": chosen.std(),
        "median": np.median(chosen),
        "p5": np.percentile(chosen, 5),
        "p25": np.percentile(chosen, 25),
        "p75": np.percentile(chosen, 75),
        "p95": np.percentile(chosen, 95),
        "cv": chosen.std() / chosen.mean(),
        "total": chosen.mean() * len(chosen) * 0.08,
        "skewness": stats.skew(chosen),
        "kurtosis": stats.kurtosis(chosen),
        "entropy": stats.entropy(np.histogram(chosen, bins=64)[0], base=2),
    }.items():
        assert getattr(result, name) == pytest.approx(expected, rel=1e-12), name
    assert result.fraction_inside == 1.0
    assert result.flags == ()
    index = volume.image.TransformPhysicalPointToIndex(result.hottest_mm)
    assert volume.image[index] == result.max


def test_a_mask_on_part_of_the_same_grid_takes_voxels_as_they_are(shapes):
    """Segmentations are often stored on their own extent; flipped axes make no difference either."""
    volume = random_volume(shapes)
    mask = shapes.ball(volume.geometry, (3, 2, 1), 20)
    part = sitk.Flip(mask[3:18, 3:20, 2:22], [True, False, True])
    whole, cropped = measure(volume, mask), measure(volume, part)
    assert sitk.GetArrayViewFromImage(part).sum() == whole.voxels
    for field in NUMBERS:
        assert getattr(cropped, field) == pytest.approx(getattr(whole, field), rel=1e-12), field


def test_the_order_in_which_the_image_is_stored_does_not_matter(shapes):
    volume = random_volume(shapes)
    mask = shapes.ball(shapes.grid(*CT), (3, 2, 1), 15)
    flipped = volume.replace(image=sitk.PermuteAxes(sitk.Flip(volume.image, [True, False, True]), [2, 0, 1]))
    first, second = (measure(v, mask, shapes.rigid()) for v in (volume, flipped))
    assert second.mean == pytest.approx(first.mean, rel=1e-9)
    assert second.max == first.max
    assert second.peak == pytest.approx(first.peak, rel=1e-5)  # lines through the sphere run along another axis


# --- definitions ------------------------------------------------------------------------------------------------------


def with_values(shapes, values, fractions=None):
    """An image and a mask on one grid, one voxel per value."""
    grid = shapes.grid((len(values), 1, 1), (10.0, 10.0, 10.0))
    as_image = [
        image_from_array(np.array(v, dtype=np.float32).reshape(1, 1, -1), grid)
        for v in (values, np.ones(len(values)) if fractions is None else fractions)
    ]
    return Volume(image=as_image[0]), as_image[1]


def test_fractions_weight_the_samples(shapes):
    result = measure(*with_values(shapes, [1, 2, 4], [0.5, 1.0, 0.25]))
    assert result.mean == pytest.approx(3.5 / 1.75)
    assert result.volume_ml == pytest.approx(1.75)
    assert result.sd == pytest.approx(np.sqrt((0.5 * 1 + 4 + 0.25 * 16) / 1.75 - result.mean**2))
    # Shares of weight between the middles of the samples: 0, 0.75, 1.375 of 1.375; the median's is 0.6875.
    assert result.median == pytest.approx(1 + 0.6875 / 0.75)
    # Voxels of one half and more are looked at for the maximum.
    assert result.native_voxels == 2
    assert result.max == 2


def test_equal_fractions_change_nothing_but_the_volume(shapes):
    values = np.random.default_rng(0).random(57)
    whole, half = (measure(*with_values(shapes, values, np.full(57, f))) for f in (1.0, 0.5))
    for field in ("mean", "sd", "median", "p5", "p95", "entropy", "skewness", "kurtosis", "max", "peak"):
        assert getattr(half, field) == pytest.approx(getattr(whole, field), rel=1e-6), field
    assert half.total == pytest.approx(whole.total / 2)


def test_entropy_in_bits(shapes):
    assert measure(*with_values(shapes, np.arange(128) % 64)).entropy == pytest.approx(6.0)
    assert measure(*with_values(shapes, [0, 0, 5, 5])).entropy == pytest.approx(1.0)


def test_a_uniform_image_has_no_heterogeneity_even_when_sampled(shapes):
    grid = shapes.grid(*SPECT)
    volume = Volume(image=image_from_array(np.full(grid.shape, 3.3), grid))
    result = measure(volume, shapes.ball(shapes.grid(*CT), (1, 2, 3), 15), shapes.rigid())
    assert result.mean == pytest.approx(3.3, rel=1e-12)
    assert (result.sd, result.cv, result.entropy) == (0.0, 0.0, 0.0)
    assert np.isnan(result.skewness)
    assert np.isnan(result.kurtosis)


def test_variation_of_a_mean_that_is_not_positive_is_no_number(shapes):
    assert np.isnan(measure(*with_values(shapes, [-100, -50, 20])).cv)


def test_plain_values_for_json(shapes):
    result = measure(*with_values(shapes, [1, 2, 3]))
    plain = json.loads(json.dumps(result.to_dict()))
    assert list(plain) == [field.name for field in dataclasses.fields(RoiMeasurement)]
    assert plain["hottest_mm"] == [10.0, 0.0, 0.0]


# --- native voxels ----------------------------------------------------------------------------------------------------


def test_maximum_and_minimum_are_voxels_of_the_image(shapes):
    """A single hot voxel: the spline passes through it only at its centre, the maximum is the voxel itself."""
    grid = shapes.grid(*SPECT)
    values = np.full(grid.shape, 1.0)
    values[13, 12, 14] = 50.0
    values[12, 12, 12] = -3.0
    result = measure(
        Volume(image=image_from_array(values, grid)), shapes.ball(shapes.grid(*CT), (0, 0, 0), 15), shapes.rigid()
    )
    assert (result.min, result.max) == (-3.0, 50.0)
    assert result.hottest_mm == pytest.approx(shapes.points(grid)[13, 12, 14])


def test_native_voxels_are_those_whose_centres_map_into_the_mask(shapes):
    spect, ct = shapes.grid(*SPECT), shapes.grid(*CT)
    transform = shapes.rigid()
    mask = shapes.ball(ct, (2, 3, 1), 15)
    volume = Volume(image=image_from_array(np.random.default_rng(0).random(spect.shape), spect))
    # SimpleITK's nearest neighbour carries the mask the same way: the transform it needs is the inverse.
    carried = shapes.array(sitk.Resample(mask, volume.image, transform.GetInverse(), sitk.sitkNearestNeighbor)) > 0
    result = measure(volume, mask, transform)
    assert result.native_voxels == carried.sum()
    assert (result.min, result.max) == (volume.array[carried].min(), volume.array[carried].max())


def test_a_region_smaller_than_a_voxel_takes_the_voxel_that_holds_it(shapes):
    spect = shapes.grid(*SPECT)
    values = np.random.default_rng(0).random(spect.shape)
    place = shapes.points(spect)[10, 11, 12] + (1.5, 1.2, -1.0)
    fine = shapes.grid((9, 9, 9), (0.3, 0.3, 0.3), centre=tuple(place))
    result = measure(Volume(image=image_from_array(values, spect)), shapes.ball(fine, place, 0.7))
    assert result.native_voxels == 0
    assert result.min == result.max == values[10, 11, 12]
    assert "smaller than one voxel of the image" in result.flags
    assert any(flag.startswith("no voxel centre of the image inside") for flag in result.flags)


# --- what lies outside, and refusals ----------------------------------------------------------------------------------


def test_what_lies_outside_is_left_out_and_said(shapes):
    """A box of which exactly one third lies beyond the last voxel face."""
    grid = shapes.grid((20, 20, 20), (4.0, 4.0, 4.0))
    fine = shapes.grid((60, 20, 20), (1.0, 1.0, 1.0), centre=(30.0, 0.0, 0.0))
    mask = image_from_array(np.ones(fine.shape, bool), fine)  # x from 0 to 60, the image ends at 40
    volume = Volume(image=image_from_array(np.full(grid.shape, 2.0), grid))
    result = measure(volume, mask)
    assert result.fraction_inside == pytest.approx(2 / 3)
    assert "partly outside the image" in result.flags
    assert result.mean == pytest.approx(2.0)
    assert result.volume_ml == pytest.approx(24.0)
    assert result.total == pytest.approx(2.0 * 16.0)


def test_no_overlap_names_the_region(shapes):
    volume = random_volume(shapes, name="SPECT")
    mask = shapes.ball(volume.geometry, (0, 0, 0), 15)
    move = sitk.TranslationTransform(3, (400.0, 0.0, 0.0))
    with pytest.raises(InputError, match=r"'SPECT' does not overlap mask 'L3'"):
        measure(volume, mask, move, name="L3")
    away = sitk.Image(mask)
    away.SetOrigin((400.0, 0.0, 0.0))
    with pytest.raises(InputError, match=r"does not overlap mask 'far'"):
        measure_many(volume, {"near": mask, "far": away})


def test_an_empty_mask_is_named(shapes):
    volume = random_volume(shapes)
    with pytest.raises(InputError, match="Mask 'liver' is empty"):
        measure(volume, volume.image * 0, name="liver")


def test_voxels_that_are_not_finite_are_counted(shapes):
    volume = random_volume(shapes, name="map")
    values = volume.array.copy()
    values[11, 11, 9:12] = (np.nan, np.inf, np.nan)
    broken = volume.with_array(values)
    mask = shapes.ball(volume.geometry, (0, 0, 0), 15)
    with pytest.raises(InputError, match=r"'map' has 3 voxels that are NaN or infinite under mask 'T9'"):
        measure(broken, mask, name="T9")
    with pytest.raises(InputError, match="3 voxels that are NaN or infinite"):
        measure(broken, mask, shapes.rigid())
    # On the same grid a voxel elsewhere does no harm.
    corner = shapes.ball(volume.geometry, (-28, -32, -40), 10)
    assert measure(broken, corner).mean == pytest.approx(measure(volume, corner).mean, rel=1e-6)


def test_several_values_per_voxel_are_refused(shapes):
    volume = random_volume(shapes)
    mask = shapes.ball(volume.geometry, (0, 0, 0), 15)
    with pytest.raises(InputError, match="one region at a time"):
        measure(volume, sitk.Compose(mask, mask))


# --- many at once -----------------------------------------------------------------------------------------------------


def test_many_at_once_equal_one_at_a_time(shapes):
    """Overlapping masks on three grids, in the order given."""
    volume = random_volume(shapes)
    ct = shapes.grid(*CT)
    fractions = image_from_array(np.random.default_rng(1).random(ct.shape).astype(np.float32), ct)
    masks = {
        "b": shapes.ball(ct, (3, 2, 1), 15),
        "a": shapes.ball(volume.geometry, (0, 0, 0), 20),
        "part": fractions,
        "oblique": shapes.ball(shapes.grid((20, 20, 20), (2.0, 2.0, 2.0), shapes.turned), (0, 0, 0), 15),
        "b again": shapes.ball(ct, (6, 2, 1), 13),
    }
    together = measure_many(volume, masks, shapes.rigid())
    assert list(together) == list(masks)
    for name, mask in masks.items():
        alone = measure(volume, mask, shapes.rigid(), name)
        for field in NUMBERS:
            # The prefiltered box differs (1e-9, see Sampler); the histogram of the entropy may then move a sample.
            expected = pytest.approx(getattr(alone, field), rel=1e-3 if field == "entropy" else 1e-7)
            assert getattr(together[name], field) == expected, (name, field)
        assert together[name].name == name


def test_no_masks_give_no_measurements(shapes):
    assert measure_many(random_volume(shapes), {}) == {}


def test_progress_reaches_the_end_and_may_cancel(shapes):
    volume = random_volume(shapes)
    masks = {name: shapes.ball(volume.geometry, (0, 0, 0), 15) for name in "abc"}
    seen = []
    measure_many(volume, masks, progress=lambda fraction, message: seen.append(fraction))
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)

    def stop(fraction, message):
        if fraction > 0.5:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        measure_many(volume, masks, progress=stop)


def test_a_rigid_displacement_field_measures_as_the_rigid_transform_does(shapes):
    volume = random_volume(shapes)
    mask = shapes.ball(shapes.grid(*CT), (3, 2, 1), 15)
    rigid = shapes.rigid()
    straight, bent = measure(volume, mask, rigid), measure(volume, mask, shapes.as_field(rigid))
    assert bent.mean == pytest.approx(straight.mean, rel=1e-6)
    assert bent.native_voxels == straight.native_voxels
    assert bent.hottest_mm == straight.hottest_mm


def test_a_non_linear_transform_samples_where_it_points(shapes):
    """x -> x + 4 sin(2 pi x / 90) on a ramp in x: the mean of the carried x over the region."""
    grid = shapes.grid((60, 40, 40), (3.0, 3.0, 3.0))
    volume = Volume(image=image_from_array(200 + shapes.points(grid)[..., 0], grid))
    mesh = sitk.GetImageFromArray(
        np.stack([4 * np.sin(2 * np.pi * shapes.points(grid)[..., 0] / 90)] + [np.zeros(grid.shape)] * 2, axis=-1),
        isVector=True,
    )
    field = sitk.DisplacementFieldTransform(grid.apply_to(mesh))
    ct = shapes.grid(*CT)
    mask = shapes.ball(ct, (5, 0, 0), 15)
    x = shapes.points(ct)[..., 0][shapes.array(mask) > 0]
    # The field is linear between its nodes: (3 mm)^2 / 8 times the curvature 4 (2 pi / 90)^2 is 0.02 mm.
    expected = 200 + (x + 4 * np.sin(2 * np.pi * x / 90)).mean()
    assert measure(volume, mask, field).mean == pytest.approx(expected, abs=0.03)


def test_the_number_of_threads_changes_nothing(shapes):
    volume = random_volume(shapes)
    mask = shapes.ball(shapes.grid(*CT), (3, 2, 1), 15)
    bent = shapes.as_field(shapes.rigid())
    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    results = []
    try:
        for count in (1, 2, 7):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(count)
            results.append((measure(volume, mask, bent), shapes.array(propagate(mask, volume, bent)).tobytes()))
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    assert results[0] == results[1] == results[2]


def test_many_regions_of_a_large_grid_need_no_copies_of_it(shapes):
    """12 masks of 4 million voxels: all that is allocated stays below one float64 copy of their grid."""
    ct = shapes.grid((200, 200, 100), (1.0, 1.0, 1.5))
    random = np.random.default_rng(0)
    masks = {f"m{k}": shapes.ball(ct, random.uniform(-60, 60, 3), 9) for k in range(12)}
    volume = Volume(image=image_from_array(random.random((50, 50, 50)), shapes.grid((50,) * 3, (4.4,) * 3)))
    tracemalloc.start()
    measure_many(volume, masks, shapes.rigid())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6 * 8


# --- real data --------------------------------------------------------------------------------------------------------


def test_a_real_lesion_measures_alike_from_either_grid(data, shapes):
    """PET of a sarcoma with the same contour drawn on the PET grid and on the CT grid (STS_001).

    The two rasterisations of one contour differ at the surface, by voxels of 0.98 against 4 mm or so: 2 % of the mean.
    """
    folder = data / "sts_petctmr" / "nifti" / "STS_001"
    pet, on_pet, on_ct = (
        sitk.ReadImage(str(folder / f"{name}.nii.gz")) for name in ("PET_image", "PET_mask", "CT_mask")
    )
    results = [measure(Volume(image=pet, modality="PT"), mask > 0) for mask in (on_pet, on_ct)]
    assert results[1].volume_ml == pytest.approx(results[0].volume_ml, rel=0.02)
    assert results[1].mean == pytest.approx(results[0].mean, rel=0.02)
    assert results[1].max == results[0].max
    assert results[1].peak == pytest.approx(results[0].peak, rel=1e-9)


def test_the_lesions_of_a_real_spect(data):
    """177Lu SPECT of spect_lu177 with its RTSTRUCT: the reference's five digits (its own rasterisation and sums)."""
    folder = data / "spect_lu177" / "SCAN_001"
    spect = load(folder / "image")
    found = measure_many(spect, load_masks(folder / "mask", like=spect))
    reference = {"lesion1": (106.98, 1142.66, 2252.8), "lesion2": (2.86, 1474.73, 2281.2)}
    for name, (volume_ml, mean, highest) in reference.items():
        result = next(result for key, result in found.items() if key.startswith(name))
        assert result.unit == "Bq/mL"
        assert result.volume_ml == pytest.approx(volume_ml, abs=0.006)
        assert result.mean / 1000 == pytest.approx(mean, abs=0.006)
        assert result.max / 1000 == pytest.approx(highest, abs=0.06)
        assert result.mean < result.peak < result.max
