"""Difficulty in a run: scoring, pictures, prediction, IRT, drift, imported rates."""
