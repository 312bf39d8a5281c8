# The front door: each target is one command of operations, which reads these variables from its
# environment: there a value with spaces or quotes arrives as it was written.

STACK ?= dev
ARGS ?=
BACKUP ?=
BASE ?=
# From make's command line alone: the environment of a build service has a VERSION of its own.
ROLE =
CMD =
VERSION =
REASON =
VARIABLES = STACK ARGS BACKUP BASE ROLE CMD VERSION REASON
# A dollar sign arrives as it was written, too.
$(foreach name,$(VARIABLES),$(eval override $(name) := $$(value $(name))))
export $(VARIABLES)

TARGETS = help up preview review graph refresh drift down output logs ps stats exec shell \
	psql redis-cli run restart password history versions rollback lock unlock backup backups restore \
	state-backup state-restore doctor test lint check bench setup clean-cache

.DEFAULT_GOAL := help
.PHONY: $(TARGETS)

$(TARGETS):
	@python3 -m operations $@
