"""The gate's answer for those who read it: people at a terminal, and the pages of CI services."""
