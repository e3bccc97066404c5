"""The half that runs inside somebody's Lambda: standard library and orjson only.

Nothing is opened, drawn or computed at import. What goes wrong here stays here: every step runs
under the one guard in `guard.py`, and the handler never notices.
"""
