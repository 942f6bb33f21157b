# make lab    the main job: an unmodified host keeps its session while it moves (SCENARIO=name, JSON=1)
# make test   the whole test suite
# make bench  what a registration costs, beside other servers (BENCH=signalling, scale, flood or aaa, QUICK=1, JSON=1)
# All do the set-up they need, once; see scripts/setup.

SCENARIO ?= roam
BENCH ?= signalling
PYTHON := .venv/bin/python
MAKEFLAGS += --no-print-directory
# Where Debian keeps ip, nft, dhclient and freeradius; an ordinary user's PATH lacks it.
export PATH := $(PATH):/usr/sbin:/sbin
# Hundreds of daemons are started; compiling all that they import each time would cost more than they do.
unexport PYTHONDONTWRITEBYTECODE
# How many tests run at the same time. They wait more than they compute: more of them than processors are worth it.
WORKERS ?= 4

.PHONY: help lab test bench check setup
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# make/make/p' Makefile

lab:
	@scripts/setup
	@$(PYTHON) -m pmip_tw.lab.command run $(SCENARIO) $(if $(filter-out 0 no,$(JSON)),--json) \
	  $(if $(DHCP_CLIENT),--dhcp-client $(DHCP_CLIENT)) $(if $(DHCP_SERVER),--dhcp-server $(DHCP_SERVER)) \
	  $(if $(EAP),--eap $(EAP)) $(if $(AP),--ap $(AP))

test:
	@scripts/setup
	$(if $(PYTEST),,@echo "10 to 15 minutes on two processors" >&2)
	@$(PYTHON) -m pytest $(or $(PYTEST),-n $(WORKERS) --dist loadfile --no-loadscope-reorder)

bench:
	@scripts/setup
	@$(PYTHON) -m bench $(BENCH) $(if $(filter-out 0 no,$(QUICK)),--quick) $(if $(filter-out 0 no,$(JSON)),--json)

# The standards alone: style, types and the import contract. They are tests too.
check:
	@scripts/setup
	@$(PYTHON) -m pytest -q tests/packaging/test_standards.py

# Once more, even if it was done or tried before.
setup:
	@scripts/setup --again
