"""Who replays what a command names: this machine, or a cluster, behind one interface.

`work.py` says what is to be done, `local.py` and `cluster.py` do it; `worker.py` is the cluster's
other end. May import the store and the replayer, which it joins; never the terminal. Invariant: the
verdicts are the same, in the order of what was named, whoever replays.
"""
