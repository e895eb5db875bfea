"""Running code that nobody trusts. Standard library only; `domains.code_sandbox` is the way in.

Three processes stand behind one slot of the pool:

    client (training, scoring)     domains/code_sandbox.py     asks for a program to be tested
      judge                        judge.py, functional.py     runs the tests, trusted, no jail
        zygote                     zygote.py                   first process of the jail; forks
          candidate                candidate.py                one program, then it is killed

The candidate never sees the tests: the zygote forks before a program arrives and hears of nothing
else, so no frame, object or leftover memory in the jail holds an expected value. Between judge and
candidate go plain values only (`wire.py`). What Linux is asked for stands in `kernel.py` and, for
the filter on system calls, in `seccomp.py`.
"""
