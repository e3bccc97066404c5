"""Recordings and parts on their way into a store: out of files, logs, buckets, other stores."""
