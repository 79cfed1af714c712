"""The Windows side: one guest, reached over WinRM with one account."""
