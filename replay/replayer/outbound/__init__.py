"""Outbound calls in a replay: answered from the recording, and held to account.

`form.py` says when two calls are the same, `responder.py` answers in the replayed process, and
`contract.py` compares what was sent then with what is sent now.
"""
