"""The `simulated` trainer: a learner model in place of a policy, and its fit to a real log."""
