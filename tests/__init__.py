"""The tests: one folder for each part of the harness, and `integration` for the whole way."""
