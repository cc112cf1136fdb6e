"""Golden vectors: recorded problems with what is right for them, in files that can be read without this project."""
