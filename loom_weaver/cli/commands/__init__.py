"""One module for each command: `run` does it and `EXAMPLES` go into its help."""
