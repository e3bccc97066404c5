"""The virtual clock: time that moves only by what the program does, and never by the real clock.

`turn.py` decides which thread runs and what time it is, `timeline.py` is what is asked of it;
`lock.py`, `thread.py`, `waiting.py`, `children.py` and `alarm.py` are what a program waits with,
`clocks.py`, `remaining.py` and `file_times.py` what it reads; `simulation.py` makes all of them and
`patch.py` puts them in the places of the real ones. Used by child processes alone.
"""
