"""Verdicts, the journal, frames and what they add up to."""
