"""Numerics that several laws need: numpy and scipy only."""
