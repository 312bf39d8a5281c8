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
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	context.AfterFunc(h.ctx, cancel)
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

// pluginCommand returns the command of a plugin, in the Python that it has chosen.
func pluginCommand(ctx context.Context, request *pulumirpc.RunPluginRequest) (*exec.Cmd, error) {
	python, err := pythonOf(request.Info, request.Kind != policyPack)
	if err != nil {
		return nil, err
	}
	if err := python.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	arguments, err := pluginArguments(request)
	if err != nil {
		return nil, err
	}
	command, err := python.Command(ctx, arguments...)
	if err != nil {
		return nil, err
	}
	endBy(command, syscall.SIGTERM)
	command.Dir = request.Pwd
	if request.Kind == policyPack {
		command.Dir = request.Info.ProgramDirectory
	}
	command.Env = append(command.Environ(), request.Env...)
	return command, nil
}

// pluginArguments are those of Python: the SDK's module for a policy pack, the folder of a plugin
// with __main__.py, and for a package of components the SDK's module that serves them.
func pluginArguments(request *pulumirpc.RunPluginRequest) ([]string, error) {
	folder, root := request.Info.ProgramDirectory, request.Info.RootDirectory
	if request.Kind == policyPack {
		return append(append([]string{"-u", "-m", "pulumi.policy"}, request.Args...), folder), nil
	}
	if _, err := os.Stat(filepath.Join(root, "__main__.py")); err == nil {
		return append([]string{"-u", folder}, request.Args...), nil
	}
	if buildable, err := toolchain.IsBuildablePackage(root); err != nil || !buildable {
		return nil, errors.Join(err, fmt.Errorf("%s: should have a __main__.py, or a pyproject.toml "+
			"with project.name and [build-system] (got neither). Add one.", root))
	}
	project, err := toolchain.LoadPyproject(root)
	if err != nil {
		return nil, err
	}
	return append([]string{"-u", "-m", "pulumi.run.plugin", project.Project.Name}, request.Args...), nil
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
	if stack != nil { // nil in `pulumi policy publish`
		command.Env, err = withConfig(append(command.Env,
			"PULUMI_ORGANIZATION="+stack.Organization,
			"PULUMI_PROJECT="+stack.Project,
			"PULUMI_STACK="+stack.Stack,
			"PULUMI_DRY_RUN="+strconv.FormatBool(stack.DryRun),
		), stack.Config, nil)
		if err != nil {
			return err
		}
	}
	if err := command.Start(); err != nil {
		return err
	}
	return proxy.Attach(ctx, command)
}
