"""The commands of the command line, a file each: `command` in it. Everything heavy is imported where it is needed."""
