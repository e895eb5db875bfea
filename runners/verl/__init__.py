"""Training with verl: the trainer that clusters use, on a GPU or whole on a CPU.

`trainer.py` is the settings record and the parent process; everything that runs inside verl's
own processes is loaded by `plugin.py`, each part by those that need it: nothing is imported here.
Imports are absolute: `verl` always means the library.
"""
