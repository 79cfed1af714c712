"""The first bad version, or the first bad build: found with few cells, and repeated until it is sure."""
