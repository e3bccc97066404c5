"""Recordings and verdicts for readers: as JSON documents, and as text for a terminal."""
