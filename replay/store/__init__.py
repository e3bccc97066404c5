"""The store: recordings in a database, found by what they are. The only importer of SQLAlchemy."""
