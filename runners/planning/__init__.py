"""`curricle plan`: what a run would draw, cost and take in memory, before anything starts."""
