"""Evaluation of a model on held-out problems, and its figures."""
