"""`python -m loom_weaver.cli`."""

from loom_weaver.cli.program import main

main()
