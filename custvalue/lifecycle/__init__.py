"""Where each relationship stands, whether it moves up on time, and what to do there."""

from custvalue.lifecycle._lifecycle import LifecycleClassifier
from custvalue.lifecycle._playbook import playbook
from custvalue.lifecycle._stages import problem_share

__all__ = ["LifecycleClassifier", "playbook", "problem_share"]
