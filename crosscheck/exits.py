"""The exit codes of the command line."""

PASSED, MISMATCH, USAGE, INTERNAL, NOTHING, INTERRUPTED = 0, 1, 2, 3, 5, 130
