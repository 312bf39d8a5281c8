package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
	"google.golang.org/protobuf/encoding/protojson"
)

// errorReported is the exit code of an executor that has told the engine what went wrong.
const errorReported = 32

//go:embed executor.py
var executor string

//go:embed required_packages.py
var requiredPackages string

// GetRequiredPackages lists the Pulumi packages of a program, so that the engine loads their
// plugins. pip would take a second to list them at every command; the folders are there to read.
func (h *host) GetRequiredPackages(
	ctx context.Context, request *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	python, err := pythonOf(request.Info, false)
	if err != nil {
		return nil, err
	}
	folder := request.Info.ProgramDirectory
	if err := python.EnsureVenv(ctx, folder, false, true, os.Stdout, os.Stderr); err != nil {
		return nil, err
	}
	command, err := python.Command(ctx, "-c", requiredPackages)
	if err != nil {
		return nil, err
	}
	command.Stderr = os.Stderr
	printed, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: should list its packages (got %w). "+
			"Check the environment, or run `pulumi install`", command.Path, err)
	}
	response := &pulumirpc.GetRequiredPackagesResponse{}
	return response, protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(printed, response)
}

// Run runs a program in a process of the project's own Python and waits for its end.
func (h *host) Run(
	ctx context.Context, request *pulumirpc.RunRequest,
) (*pulumirpc.RunResponse, error) {
	h.running.Add(1)
	defer h.running.Done()
	python, err := pythonOf(request.Info, false)
	if err != nil {
		return nil, err
	}
	if err := python.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	command, err := h.programCommand(python, request)
	if err != nil {
		return nil, err
	}
	err = command.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case !errors.As(err, &ended):
		return nil, fmt.Errorf("run the program: %w", err)
	case ended.ExitCode() == errorReported || h.programs.Err() != nil:
		return &pulumirpc.RunResponse{Bail: true}, nil
	}
	message := "program was ended by " + ended.String()
	if code := ended.ExitCode(); code >= 0 {
		message = fmt.Sprintf("program exited with non-zero exit code: %d", code)
	}
	return &pulumirpc.RunResponse{Error: message}, nil
}

func (h *host) programCommand(
	python toolchain.Toolchain, request *pulumirpc.RunRequest,
) (*exec.Cmd, error) {
	settings, err := json.Marshal(map[string]any{
		"pwd":         request.Pwd,
		"entry_point": request.Info.EntryPoint,
		"arguments":   append([]string{}, request.Args...),
		"runtime": map[string]any{
			"monitor":        request.MonitorAddress,
			"engine":         h.engineAddress,
			"project":        request.Project,
			"root_directory": request.Info.RootDirectory,
			"stack":          request.Stack,
			"parallel":       request.Parallel,
			"dry_run":        request.DryRun,
			"organization":   request.Organization,
		},
	})
	if err != nil {
		return nil, err
	}
	command, err := python.Command(h.programs, "-c", executor, string(settings))
	if err != nil {
		return nil, err
	}
	endBy(command, os.Interrupt)
	command.Dir = request.Info.ProgramDirectory
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.Env, err = withConfig(command.Environ(), request.Config, request.ConfigSecretKeys)
	return command, err
}

// withConfig adds the stack's configuration in the form in which the SDK reads it.
func withConfig(variables []string, config map[string]string, secretKeys []string) ([]string, error) {
	if config == nil {
		config = map[string]string{} // the SDK does not take null
	}
	values, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	keys, err := json.Marshal(append([]string{}, secretKeys...))
	return append(variables,
		"PULUMI_CONFIG="+string(values), "PULUMI_CONFIG_SECRET_KEYS="+string(keys)), err
}
