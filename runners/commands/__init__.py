"""The verbs of `curricle`. To add one: write a function with a docstring that ends in an example,
in the file that it belongs to; heavy libraries are imported within it.
"""

from runners.commands import jobs, tools
from runners.commands.shared import app

__all__ = ["app", "jobs", "tools"]
