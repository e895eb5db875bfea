"""What was scored, kept: every completion once, durable, shared, and read back by column."""
