"""Record and replay AWS Lambda invocations: `capture` is the decorator, `replay` the command."""

from replay.recorder.decorator import capture
from replay.version import __version__

__all__ = ["__version__", "capture"]
