"""Real logs to try things on, and a simulated shop whose truth is known."""

from custvalue.datasets._cdnow import load_cdnow, load_donations
from custvalue.datasets._online_retail import fetch_online_retail
from custvalue.datasets._shop import make_shop

__all__ = ["fetch_online_retail", "load_cdnow", "load_donations", "make_shop"]
