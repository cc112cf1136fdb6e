"""What is true, and how far rounding may stray from it."""
