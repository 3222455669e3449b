"""`python -m loom_weaver.cli`."""

from loom_weaver.cli.program import main

if __name__ == "__main__":
    main()
