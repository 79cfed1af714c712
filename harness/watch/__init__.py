"""Following a run while it goes: in a terminal, in a browser, or beside pytest's own output. It only reads."""
