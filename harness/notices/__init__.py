"""Notices: a run's decision told to a channel by webhook, and as a page that fits into an e-mail."""
