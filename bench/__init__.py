"""Measured speeds beside their targets: ``python -m bench``, or ``make bench``."""
