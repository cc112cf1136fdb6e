"""The catalogue of known mistakes, a file a family; every `MISTAKES` in this folder is part of it."""
