#!/bin/sh
# Wine starts this in place of its 32-bit half where the host has none. Without it such a program would end at once
# with exit code 0, and an installer that did nothing would pass for one that succeeded.
echo "$1: this is a 32-bit program, and this guest runs 64-bit programs only" >&2
exit 1
