"""Replays recordings and judges them; knows no database. Start reading at `verdict.py`."""
