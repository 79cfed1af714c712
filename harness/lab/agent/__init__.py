"""What runs inside a guest's sandbox: stdlib only, copied into the lab's home and run by the host's own Python there.

It imports nothing of the harness, because the harness cannot be seen from inside the sandbox.
"""
