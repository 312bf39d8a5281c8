package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// errorReported is the exit code of an executor that has told the engine what went wrong.
const errorReported = 32

// Run runs a program in a process of the project's own Python and waits for its end.
func (h *host) Run(
	ctx context.Context, request *pulumirpc.RunRequest,
) (*pulumirpc.RunResponse, error) {
	h.running.Add(1)
	defer h.running.Done()
	if request.AttachDebugger {
		return nil, errors.New("--attach-debugger: should not be set (got it). " +
			"Use Pulumi's own language host to debug a program.")
	}
	options, python, err := resolve(request.Info, false)
	if err != nil {
		return nil, err
	}
	if err := python.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	if err := h.checkTypes(ctx, options, python); err != nil {
		return nil, err
	}
	ctx, cancel := callContext(ctx, h.programs)
	defer cancel()
	command, err := h.programCommand(ctx, python, request)
	if err != nil {
		return nil, err
	}
	return h.response(command.Run())
}

func (h *host) programCommand(
	ctx context.Context, python toolchain.Toolchain, request *pulumirpc.RunRequest,
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
	command, err := python.Command(ctx, h.executor, string(settings))
	if err != nil {
		return nil, err
	}
	endBy(command, os.Interrupt)
	command.Dir = request.Info.ProgramDirectory
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.Env, err = withConfig(environment(command), request.Config, request.ConfigSecretKeys)
	return command, err
}

// environment returns the variables of a command that is to be started.
func environment(command *exec.Cmd) []string {
	variables := command.Environ()
	if _, set := os.LookupEnv("GRPC_VERBOSITY"); !set {
		// gRPC reports the end of a cancelled run as a line of its own source code; the engine
		// has reported it by then.
		variables = append(variables, "GRPC_VERBOSITY=ERROR")
	}
	return variables
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

func (h *host) response(err error) (*pulumirpc.RunResponse, error) {
	if err == nil {
		return &pulumirpc.RunResponse{}, nil
	}
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		return nil, fmt.Errorf("run the program: %w", err)
	}
	code := ended.ExitCode()
	switch {
	case code == errorReported || h.programs.Err() != nil:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case code < 0:
		return &pulumirpc.RunResponse{Error: "program was ended by " + ended.String()}, nil
	}
	return &pulumirpc.RunResponse{
		Error: fmt.Sprintf("program exited with non-zero exit code: %d", code),
	}, nil
}

// checkTypes runs the type checker that Pulumi.yaml names.
func (h *host) checkTypes(
	ctx context.Context, options toolchain.PythonOptions, python toolchain.Toolchain,
) error {
	if options.Typechecker == toolchain.TypeCheckerNone {
		return nil
	}
	name := strings.ToLower(toolchain.TypeCheckerName(options.Typechecker))
	arguments := []string{options.ProgramDir}
	if options.Typechecker == toolchain.TypeCheckerMypy && options.Virtualenv != "" {
		arguments = append(arguments, "--exclude", filepath.Base(options.Virtualenv)+"/")
	}
	command, err := python.ModuleCommand(ctx, name, arguments...)
	if err != nil {
		return err
	}
	command.Dir = options.ProgramDir
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, output)
	}
	return nil
}
