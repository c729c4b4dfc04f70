"""RFM, silence, lifecycle stages, grades, matrices."""

from custvalue.segment._lifecycle import LifecycleClassifier

__all__ = ["LifecycleClassifier"]
