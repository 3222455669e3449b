# Each target calls one script of scripts/; ARGS="…" goes on to what it starts.
.PHONY: help lab test bench lock

help:
	@echo 'make lab    set up and open JupyterLab with weavers'
	@echo 'make test   set up, check the code and pass every test'
	@echo 'make bench  measure against Jupyter'"'"'s own terminals'
	@echo 'make lock   write requirements/ anew from pyproject.toml'
	@echo 'ARGS="…"    goes on to JupyterLab, pytest, the benchmark or the lock'

lab:
	@scripts/lab $(ARGS)

test:
	@scripts/test $(ARGS)

bench:
	@scripts/bench $(ARGS)

lock:
	@scripts/lock $(ARGS)
