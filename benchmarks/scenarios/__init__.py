"""What is measured: a module each, whose `run(quick)` gives the rows."""
