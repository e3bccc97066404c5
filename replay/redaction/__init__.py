"""Redaction: what is secret in an invocation, and what stands in its place.

Runs inside somebody's Lambda as part of the recorder, and in `replay redact`: standard library and
orjson only. Everything that is captured passes through a `Redactor`, before the first byte of it
is written.
"""
