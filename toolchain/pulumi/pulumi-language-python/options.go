package main

import (
	"fmt"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// resolve reads `runtime.options` of Pulumi.yaml and returns them with the toolchain they choose.
func resolve(
	info *pulumirpc.ProgramInfo, isPlugin bool,
) (toolchain.PythonOptions, toolchain.Toolchain, error) {
	options := toolchain.PythonOptions{Root: info.GetRootDirectory(), ProgramDir: info.GetProgramDirectory()}
	if err := readOptions(&options, info.GetOptions().AsMap()); err != nil {
		return options, nil, err
	}
	isPip := options.Toolchain == toolchain.Auto || options.Toolchain == toolchain.Pip
	if isPlugin && isPip && options.Virtualenv == "" {
		// A plugin never runs in the machine's own Python.
		options.Virtualenv = "venv"
	}
	python, err := toolchain.ResolveToolchain(options)
	return options, python, err
}

func readOptions(options *toolchain.PythonOptions, values map[string]any) error {
	texts := map[string]string{}
	for _, key := range []string{"virtualenv", "toolchain", "typechecker"} {
		value, known := values[key]
		text, isText := value.(string)
		if known && !isText {
			return wrongOption(key, "a string", value)
		}
		texts[key] = text
	}
	options.Virtualenv = texts["virtualenv"]
	switch texts["toolchain"] {
	case "":
	case "pip":
		options.Toolchain = toolchain.Pip
	case "poetry":
		options.Toolchain = toolchain.Poetry
	case "uv":
		options.Toolchain = toolchain.Uv
	default:
		return wrongOption("toolchain", "pip, poetry or uv", texts["toolchain"])
	}
	switch texts["typechecker"] {
	case "":
	case "mypy":
		options.Typechecker = toolchain.TypeCheckerMypy
	case "pyright":
		options.Typechecker = toolchain.TypeCheckerPyright
	default:
		return wrongOption("typechecker", "mypy or pyright", texts["typechecker"])
	}
	return nil
}

func wrongOption(key, rule string, value any) error {
	return fmt.Errorf("Pulumi.yaml:runtime.options.%s: should be %s (got %#v). "+
		"Change it, or leave it out.", key, rule, value)
}
