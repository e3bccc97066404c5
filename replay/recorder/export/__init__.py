"""Parts on their way out of the sandbox, into a bucket: by an extension, or in line."""
