package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/pulumi/pulumi/sdk/v3"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/fsutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// policyPack is the engine's word for the kind of plugin that a policy pack is.
const policyPack = "analyzer"

// RunPlugin runs a provider, component package or policy pack until the engine ends it.
func (h *host) RunPlugin(
	request *pulumirpc.RunPluginRequest, stream pulumirpc.LanguageRuntime_RunPluginServer,
) error {
	h.running.Add(1)
	defer h.running.Done()
	ctx, cancel := callContext(stream.Context(), h.ctx)
	defer cancel()
	command, err := pluginCommand(ctx, request)
	if err != nil {
		return err
	}
	closer, stdout, stderr, err := rpcutil.MakeRunPluginStreams(stream, false)
	if err != nil {
		return err
	}
	defer closer.Close()
	command.Stdout, command.Stderr = stdout, stderr
	if request.Kind == policyPack {
		err = runPolicyPack(ctx, command)
	} else {
		err = command.Run()
	}
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return stream.Send(&pulumirpc.RunPluginResponse{
			Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(ended.ExitCode())},
		})
	}
	return err
}

// pluginCommand returns the command of a plugin: the SDK's module for a policy pack, Python for a
// folder with __main__.py, and for a package of components the SDK's module that serves them.
func pluginCommand(
	ctx context.Context, request *pulumirpc.RunPluginRequest,
) (*exec.Cmd, error) {
	isPolicyPack := request.Kind == policyPack
	options, python, err := resolve(request.Info, !isPolicyPack)
	if err != nil {
		return nil, err
	}
	if err := python.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	folder := request.Info.ProgramDirectory
	arguments := append([]string{"-u", folder}, request.Args...)
	workingFolder := request.Pwd
	if isPolicyPack {
		arguments = append(append([]string{"-u", "-m", "pulumi.policy"}, request.Args...), folder)
		workingFolder = folder
	} else if _, err := os.Stat(filepath.Join(options.Root, "__main__.py")); err != nil {
		name, err := packageName(options.Root)
		if err != nil {
			return nil, err
		}
		arguments = append([]string{"-u", "-m", "pulumi.run.plugin", name}, request.Args...)
	}
	command, err := python.Command(ctx, arguments...)
	if err != nil {
		return nil, err
	}
	endBy(command, syscall.SIGTERM)
	command.Dir = workingFolder
	command.Env = append(environment(command), request.Env...)
	return command, nil
}

func packageName(folder string) (string, error) {
	buildable, err := toolchain.IsBuildablePackage(folder)
	if err != nil {
		return "", err
	}
	if !buildable {
		return "", fmt.Errorf("%s: should have a __main__.py, or a pyproject.toml with "+
			"project.name and [build-system] (got neither). Add one.", folder)
	}
	project, err := toolchain.LoadPyproject(folder)
	if err != nil {
		return "", err
	}
	return project.Project.Name, nil
}

// runPolicyPack starts a policy pack when the engine has told its stack: the engine does so by a
// call, while the SDK wants it in the environment of the process.
func runPolicyPack(ctx context.Context, command *exec.Cmd) error {
	proxy, stdout, err := sdk.NewPolicyProxy(ctx, command.Stdout)
	if err != nil {
		return err
	}
	stack, err := proxy.AwaitConfiguration(ctx)
	if err != nil {
		return err
	}
	command.Stdout = stdout
	if command.Env, err = withStack(command.Env, stack); err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	return proxy.Attach(ctx, command)
}

func withStack(
	variables []string, stack *pulumirpc.AnalyzerStackConfigureRequest,
) ([]string, error) {
	if stack == nil { // as in `pulumi policy publish`
		return variables, nil
	}
	values := map[string]string{
		"PULUMI_ORGANIZATION": stack.Organization,
		"PULUMI_PROJECT":      stack.Project,
		"PULUMI_STACK":        stack.Stack,
		"PULUMI_DRY_RUN":      strconv.FormatBool(stack.DryRun),
	}
	for name, value := range values {
		if value != "" {
			variables = append(variables, name+"="+value)
		}
	}
	return withConfig(variables, stack.Config, nil)
}

// runDynamicProvider becomes the SDK's server of dynamic providers, in the program's own Python:
// their code was pickled by the program and refers to its modules. The engine starts it in the
// program's folder, with the runtime options as environment variables.
func runDynamicProvider(arguments []string) error {
	folder, err := os.Getwd()
	if err != nil {
		return err
	}
	root := folder
	if file, err := fsutil.Searchup(folder, "Pulumi.yaml"); err == nil {
		root = filepath.Dir(file)
	}
	options := toolchain.PythonOptions{Root: root, ProgramDir: folder}
	err = readOptions(&options, map[string]any{
		"toolchain":  os.Getenv("PULUMI_RUNTIME_TOOLCHAIN"),
		"virtualenv": os.Getenv("PULUMI_RUNTIME_VIRTUALENV"),
	})
	if err != nil {
		return err
	}
	python, err := toolchain.ResolveToolchain(options)
	if err != nil {
		return err
	}
	if err := python.ValidateVenv(context.Background()); err != nil {
		return err
	}
	command, err := python.Command(
		context.Background(), append([]string{"-u", "-m", "pulumi.dynamic"}, arguments...)...)
	if err != nil {
		return err
	}
	command.Env = environment(command)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Start(); err != nil {
		return err
	}
	go func() {
		// A provider whose engine was killed would wait for calls for ever.
		waitForEndOfInput()
		_ = command.Process.Kill()
	}()
	err = command.Wait()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		os.Exit(ended.ExitCode())
	}
	return err
}
