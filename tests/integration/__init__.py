"""The whole way on the real lab, as a user goes it: pytest in a process of its own."""
