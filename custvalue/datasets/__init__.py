"""Real logs to try things on."""

from custvalue.datasets._cdnow import load_cdnow, load_donations

__all__ = ["load_cdnow", "load_donations"]
