"""Retrieval metrics: vectors or scores in, numbers out. Nothing here knows of albums or models.

`ranks`: every query has one right answer (captions and their photos). `precision`: every query has many
(all photos that show a dog). In both, ties are read against us and a score that is no number ranks last.
`expected`: what chance gives, and the ceiling of an observer who knows the rule.
"""

from cartolina.metrics.expected import (
    chance_average_precision,
    expected_average_precision,
    expected_precision_at,
)
from cartolina.metrics.precision import (
    average_precision,
    mean_over_queries,
    precision_at,
    precision_ceiling,
    recall_at,
)
from cartolina.metrics.ranks import (
    DEPTHS,
    image_to_text_ranks,
    median_rank,
    recall_at_k,
    recall_interval,
    recalls,
    text_to_image_ranks,
)

__all__ = [
    "DEPTHS",
    "average_precision",
    "chance_average_precision",
    "expected_average_precision",
    "expected_precision_at",
    "image_to_text_ranks",
    "mean_over_queries",
    "median_rank",
    "precision_at",
    "precision_ceiling",
    "recall_at",
    "recall_at_k",
    "recall_interval",
    "recalls",
    "text_to_image_ranks",
]
