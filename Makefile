# The front door: each target is one command of operations, which reads STACK, ARGS, BACKUP and BASE
# from its environment: there a value with spaces or quotes arrives as it was written.

STACK ?= dev
ARGS ?=
BACKUP ?=
BASE ?=
export STACK ARGS BACKUP BASE

TARGETS = help up preview review refresh drift down output logs ps backup backups restore \
	state-backup state-restore doctor test lint bench setup clean-cache

.DEFAULT_GOAL := help
.PHONY: $(TARGETS)

$(TARGETS):
	@python3 -m operations $@
