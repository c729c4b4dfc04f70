"""The monthly cycle: fit once, score, append, compare, and say when to fit again."""

from custvalue.monthly._artefact import Artefact, fit
from custvalue.monthly._compare import compare
from custvalue.monthly._scores import read_scores, score, write_scores

__all__ = ["Artefact", "compare", "fit", "read_scores", "score", "write_scores"]
