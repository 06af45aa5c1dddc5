import numpy as np
import pytest

from cartolina.learn.canonical import canonical_directions


def planted(rng, photos=400, captions=2):
    """Photos and captions that share three numbers, each mixed with noise of its own."""
    shared = rng.normal(size=(photos, 3))
    x = np.c_[shared, rng.normal(size=(photos, 7))] @ rng.normal(size=(10, 10)) + 5
    owner = np.repeat(np.arange(photos), captions)
    y = np.c_[shared[owner], rng.normal(size=(len(owner), 5))] @ rng.normal(size=(8, 8)) - 3
    return x.astype(np.float32), y.astype(np.float32), owner


def test_what_both_share_comes_first_and_noise_weighs_little():
    x, y, owner = planted(np.random.default_rng(0))
    of_x, of_y = canonical_directions(x, y, owner, 8, ridge=(1e-6, 1e-6))
    u, v = (x - of_x.mean) @ of_x.weight, (y - of_y.mean) @ of_y.weight
    together = [np.corrcoef(u[owner, i], v[:, i])[0, 1] for i in range(8)]
    assert min(together[:3]) > 0.99
    lengths = np.linalg.norm(u, axis=0)
    assert lengths[3:].max() < 0.35 * lengths[:3].min()


def test_mapped_rows_have_length_one_on_average():
    x, y, owner = planted(np.random.default_rng(1))
    for rows, directions in zip((x, y), canonical_directions(x, y, owner, 4), strict=True):
        mapped = (rows - directions.mean) @ directions.weight
        assert mapped.shape[1] == 4
        assert np.mean((mapped**2).sum(1)) == pytest.approx(1, rel=1e-3)
        assert directions.spread == pytest.approx(np.sqrt(rows.var(axis=0).mean()), rel=1e-3)


def test_unregularised_with_one_caption_each_the_strengths_are_the_canonical_correlations():
    rng = np.random.default_rng(2)
    x, y, owner = planted(rng, photos=300, captions=1)
    of_x, _ = canonical_directions(x, y, owner, 8, ridge=(0.0, 0.0))
    # Independently: the correlations are the singular values of Qx^T Qy, the orthonormal bases of both.
    basis_x, basis_y = (np.linalg.qr(rows - rows.mean(0))[0] for rows in (x, y))
    expected = np.linalg.svd(basis_x.T @ basis_y, compute_uv=False)
    found = np.sqrt((((x - of_x.mean) @ of_x.weight) ** 2).mean(0))
    np.testing.assert_allclose(found / found[0], expected / expected[0], rtol=2e-2, atol=2e-3)


def test_a_photo_counts_the_same_however_many_captions_it_has():
    x, y, owner = planted(np.random.default_rng(3), photos=50, captions=1)
    thrice = np.repeat(np.arange(50), np.where(np.arange(50) < 10, 3, 1))
    once = canonical_directions(x, y, owner, 4)
    more = canonical_directions(x, y[thrice], thrice, 4)
    for a, b in zip(once, more, strict=True):
        np.testing.assert_allclose(a.mean, b.mean, atol=1e-5)
        np.testing.assert_allclose(np.abs(a.weight), np.abs(b.weight), atol=1e-3)


def test_columns_that_never_vary_do_no_harm():
    x, y, owner = planted(np.random.default_rng(4), photos=50)
    x[:, 0] = 7
    of_x, of_y = canonical_directions(x, y, owner, 4)
    assert np.isfinite(of_x.weight).all()
    assert np.isfinite(of_y.weight).all()
