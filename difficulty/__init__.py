"""How hard a problem is for a model: pass rates, what they rest on, and buckets of them."""
