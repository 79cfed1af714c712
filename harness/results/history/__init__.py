"""Runs kept for years: as Parquet, in a folder or a bucket, for pandas and DuckDB to ask."""
