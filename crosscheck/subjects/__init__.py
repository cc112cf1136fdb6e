"""The subjects: one adapter a file. `manual` is also what the referee computes with."""
