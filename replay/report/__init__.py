"""Recordings and verdicts for readers: as JSON, as text for a terminal, as pages, as JUnit XML."""
