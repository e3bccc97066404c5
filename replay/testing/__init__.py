"""What becomes of recordings that are kept as tests. Imports no database and no terminal."""
