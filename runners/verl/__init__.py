"""Training with verl: the trainer that clusters use, on a GPU or whole on a CPU.

`trainer.py` is the settings record and the parent process; everything that runs inside verl's
own processes is loaded by `plugin.py`. Imports are absolute: `verl` always means the library.
"""

from runners.verl.trainer import VerlTrainer

__all__ = ["VerlTrainer"]
