"""What the schedulers are built from; none of it is a scheduler.

pool.py        the problems in columns, and rows as places in them
where.py       a filter on the pool; names.py and buckets.py: what is not there, easy first
deck.py        drawing without repeats within a pass; nearest.py: nearest to a target
mix.py         decks in fixed or changing shares; ramps.py and gates.py: what changes when
drawing.py     the half of a curriculum that all of ours share
signals.py     what one outcome says; arms.py and beliefs.py: what is made of many
wrapper.py     the half of what goes around another curriculum
packing.py     arrays inside a checkpoint
own.py         schedulers from outside this repository
"""
