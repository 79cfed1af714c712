"""Windows Installer packages: their streams, their tables, and what the tables mean together."""
