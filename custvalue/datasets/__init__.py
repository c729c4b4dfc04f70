"""Real logs to try things on."""

from custvalue.datasets._cdnow import load_cdnow, load_donations
from custvalue.datasets._online_retail import fetch_online_retail

__all__ = ["fetch_online_retail", "load_cdnow", "load_donations"]
