"""What a training says while it runs: step figures, rollouts, trackers, and `curricle watch`."""
