# The front door: each target is one command of plugins/commands.

STACK ?= dev
ARGS ?=
BACKUP ?=
run = @python3 -m plugins.commands

.DEFAULT_GOAL := help
.PHONY: help up preview refresh down output drift logs ps doctor backup backups restore test lint bench setup clean-cache

help: ## list the targets
	@echo 'make TARGET [STACK=dev] [ARGS=...]'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS='|' read -r target text; do printf '%-14s %s\n' "$$target" "$$text"; done

up: ## make the machine ready, then create or update the stack
	$(run) up --stack $(STACK) $(ARGS)

preview: ## show what `up` would change
	$(run) preview --stack $(STACK) $(ARGS)

refresh: ## take what the engine really has into the state
	$(run) refresh --stack $(STACK) $(ARGS)

drift: ## show what was changed by hand on the engine; fails if anything was
	$(run) drift --stack $(STACK) $(ARGS)

down: ## remove the stack
	$(run) down --stack $(STACK) $(ARGS)

output: ## print the stack's outputs
	$(run) output --stack $(STACK) $(ARGS)

logs: ## print the containers' logs; ARGS='--follow --role app'
	$(run) logs --stack $(STACK) $(ARGS)

ps: ## list the stack's containers
	$(run) ps --stack $(STACK) $(ARGS)

backup: ## take a backup of the database now
	$(run) backup --stack $(STACK) $(ARGS)

backups: ## list the backups: time, size, revision, whether they can be restored
	$(run) backups --stack $(STACK) $(ARGS)

restore: ## put the database back to a backup; BACKUP=name
	$(run) restore --stack $(STACK) --backup '$(BACKUP)' $(ARGS)

doctor: ## tell what this machine has and where it came from
	$(run) doctor $(ARGS)

test: ## run all tests; ARGS='tests/unit -k settings'
	$(run) test $(ARGS)

lint: ## check style and types
	$(run) lint $(ARGS)

bench: ## compare with Docker Compose, measure the portal; ARGS='rolling --requests 10000'
	$(run) bench $(ARGS)

setup: ## make the machine ready and nothing else; ARGS=--redetect, ARGS=--userns-remap
	@python3 -m plugins.bootstrap $(ARGS)

clean-cache: ## delete what the set-up has built; stacks and their states stay
	$(run) clean-cache $(ARGS)
