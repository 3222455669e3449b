# Each target calls one script of scripts/; ARGS="…" goes on to what it starts.
.PHONY: help lab test test-cluster bench screenshots lock

help:
	@echo 'make lab    set up and open JupyterLab with weavers'
	@echo 'make test   set up, check the code and pass every test'
	@echo 'make test-cluster KUBECONFIG=FILE'
	@echo '            pass the tests for Kubernetes on the cluster named'
	@echo 'make bench  measure against Jupyter'"'"'s own terminals'
	@echo 'make screenshots'
	@echo '            take the pictures of README and docs anew'
	@echo 'make lock   write requirements/ anew from pyproject.toml'
	@echo 'ARGS="…"    goes on to JupyterLab, pytest, the benchmark or the lock'

lab:
	@scripts/lab $(ARGS)

test:
	@scripts/test $(ARGS)

test-cluster:
	@LOOM_WEAVER_TEST_KUBECONFIG=$(KUBECONFIG) scripts/test tests/kubernetes tests/contract --runtime kubernetes $(ARGS)

bench:
	@scripts/bench $(ARGS)

screenshots:
	@scripts/screenshots $(ARGS)

lock:
	@scripts/lock $(ARGS)
