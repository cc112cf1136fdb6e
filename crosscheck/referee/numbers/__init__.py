"""Number types that unmodified NumPy code runs on."""
