"""Deformed versions: the image itself first, the same everywhere, about the middle."""

import numpy as np
import pytest

from swta.validation import ParameterError
from swta.vision import Deformation, deform_images


def blob(row, column):
    image = np.zeros((1, 32, 32, 3), np.uint8)
    image[0, row - 1 : row + 2, column - 1 : column + 2] = 255
    return image


def middle(image):
    weight = image[0, :, :, 0].astype(float)
    return np.array([(weight * axis).sum() / weight.sum() for axis in np.indices((32, 32))])


def test_first_version_is_the_image_and_one_version_is_nothing_else(digits):
    versions = deform_images(digits.images[:20], Deformation(versions=3))
    assert len(versions) == 3 and all(v.shape == (20, 32, 32, 3) for v in versions)
    assert versions[0] is not versions[1]
    np.testing.assert_array_equal(versions[0], digits.images[:20])
    assert (versions[1] != versions[2]).any() and (versions[1] != versions[0]).any()
    assert len(deform_images(digits.images[:3], Deformation(versions=1))) == 1
    again = deform_images(digits.images[:20], Deformation(versions=3))
    np.testing.assert_array_equal(versions[2], again[2])


def test_nothing_to_change_leaves_the_image():
    still = Deformation(versions=2, rotation=0.0, shear=0.0, scale=0.0)
    image = blob(8, 20)
    np.testing.assert_array_equal(deform_images(image, still)[1], image)


@pytest.mark.parametrize("seed", range(4))
def test_rotation_keeps_the_distance_from_the_middle(seed):
    turned = Deformation(versions=2, rotation=30.0, shear=0.0, scale=0.0, seed=seed)
    before, after = blob(8, 15), deform_images(blob(8, 15), turned)[1]
    centre = 15.5
    first, second = middle(before) - centre, middle(after) - centre
    assert np.linalg.norm(second) == pytest.approx(np.linalg.norm(first), abs=0.1)
    angle = np.degrees(np.arccos(first @ second / np.linalg.norm(first) / np.linalg.norm(second)))
    assert 0.0 < angle <= 30.5


def test_stretching_and_shearing_stay_within_their_ends():
    far = blob(4, 16)
    for seed in range(6):
        only = {"versions": 2, "rotation": 0.0, "seed": seed}
        stretched = middle(deform_images(far, Deformation(scale=0.2, shear=0.0, **only))[1])
        # the blob is 11.5 px above the middle; its height changes by a fifth at most
        assert 11.5 * 0.79 <= 15.5 - stretched[0] <= 11.5 * 1.21
        sheared = middle(deform_images(far, Deformation(scale=0.0, shear=0.2, **only))[1])
        assert sheared[0] == pytest.approx(4.0, abs=0.1)
        assert abs(sheared[1] - 16.0) <= 11.5 * 0.2 + 0.1


@pytest.mark.parametrize(
    ("field", "value"),
    [("versions", 0), ("rotation", 90.0), ("shear", -0.1), ("scale", 1.0), ("seed", -1)],
)
def test_bad_choices_are_named(field, value):
    with pytest.raises(ParameterError, match=field):
        Deformation(**{field: value})
