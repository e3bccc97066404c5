"""The version of the distribution; part of every recording that it writes. Imports nothing."""

__version__ = "0.1.0"
