"""Measures in the replayed process which lines and branches of the handler's project a case runs.

`sys.monitoring` where there is one (Python 3.12), `sys.settrace` below. Imports the standard
library, `real` and the findings. Invariant: what is measured has the same outcome as what is not.
"""
