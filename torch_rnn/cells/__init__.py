"""The cells, one a file, each with its equations."""
