"""The virtual clock: time that moves only by what the program does, and never by the real clock.

`timeline.py` decides which thread runs and what time it is; `lock.py`, `thread.py`, `waiting.py`,
`children.py` and `alarm.py` are what a program waits with; `clock.py` is what it reads;
`patch.py` puts them in the places of the real ones. Used by child processes alone.
"""
