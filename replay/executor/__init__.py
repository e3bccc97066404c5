"""Who replays what a command names, behind one interface.

`work.py` says what is to be done, `local.py` does it on this machine. May import the store and the
replayer, which it joins; never the terminal. Invariant: the verdicts are the same, in the order of
what was named, whoever replays.
"""
