"""The embedded site: a vCenter and its Wine guests, on loopback."""
