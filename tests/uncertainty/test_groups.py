"""Bands of predicted age, and how those that are too small join a neighbour."""

import numpy as np

from agegender.uncertainty.groups import BAND_EDGES, group_names, group_of, merged_edges


def test_an_edge_belongs_to_the_group_above_it():
    assert group_of([2.9, 3.0, 9.99, 10.0, 200.0, -5.0], [3, 10]).tolist() == [0, 1, 1, 2, 2, 0]


def test_groups_that_are_large_enough_stay():
    predicted = np.repeat([1, 5, 20], 60)
    assert merged_edges(predicted, [3, 10], group_min=50) == (3, 10)


def test_the_smallest_group_joins_its_smaller_neighbour():
    predicted = np.concatenate([np.full(100, 1), np.full(10, 5), np.full(60, 20)])
    assert merged_edges(predicted, [3, 10], group_min=50) == (3,)


def test_groups_at_the_ends_join_the_only_neighbour_they_have():
    predicted = np.concatenate([np.full(5, 1), np.full(60, 5), np.full(5, 20)])
    assert merged_edges(predicted, [3, 10], group_min=50) == ()


def test_every_group_that_is_left_is_large_enough_or_alone():
    rng = np.random.default_rng(0)
    for _ in range(50):
        predicted = rng.gamma(2, 15, size=rng.integers(20, 600))
        edges = merged_edges(predicted, group_min=50)
        counts = np.bincount(group_of(predicted, edges), minlength=len(edges) + 1)
        assert set(edges) <= set(BAND_EDGES)
        assert not edges or counts.min() >= 50


def test_names():
    assert group_names([]) == ("all",)
    assert group_names([3, 10]) == ("under 3", "3 to 10", "10 and over")
