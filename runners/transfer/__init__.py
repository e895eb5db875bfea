"""`curricle transfer`: the least new-domain data that makes a skill transfer."""
