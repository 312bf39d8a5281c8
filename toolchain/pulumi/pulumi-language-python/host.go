package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
	"google.golang.org/protobuf/types/known/emptypb"
)

// graceTime is what a process has to clean up before it is killed.
const graceTime = 5 * time.Second

// host answers the engine's calls. Every process it starts ends with it.
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	executor       string
	engineAddress  string
	ctx            context.Context // ends with the host
	programs       context.Context // ends when the engine cancels its programs
	cancelPrograms context.CancelFunc
	running        sync.WaitGroup
}

func newHost(ctx context.Context, executor, engineAddress string) *host {
	h := &host{executor: executor, engineAddress: engineAddress, ctx: ctx}
	h.programs, h.cancelPrograms = context.WithCancel(ctx)
	return h
}

// callContext returns a context that ends with a call and with another context.
func callContext(call, other context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(call)
	context.AfterFunc(other, cancel)
	return ctx, cancel
}

// endBy makes a command get a signal, once, at the end of its context, and not be killed before it
// has had time to clean up.
func endBy(command *exec.Cmd, signal os.Signal) {
	command.Cancel = func() error { return command.Process.Signal(signal) }
	command.WaitDelay = graceTime
}

func (h *host) Handshake(
	_ context.Context, request *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.engineAddress = request.EngineAddress
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version.Version}, nil
}

func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	// Plugins go on: the engine tells each itself, and waits for what it does.
	h.cancelPrograms()
	return &emptypb.Empty{}, nil
}

func (h *host) About(
	ctx context.Context, request *pulumirpc.AboutRequest,
) (*pulumirpc.AboutResponse, error) {
	options, python, err := resolve(request.Info, false)
	if err != nil {
		return nil, err
	}
	info, err := python.About(ctx)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.AboutResponse{
		Executable: info.PythonExecutable,
		Version:    info.PythonVersion.String(),
		Metadata: map[string]string{
			"toolchain":        toolchain.Name(options.Toolchain),
			"toolchainVersion": info.ToolchainVersion.String(),
			"typechecker":      toolchain.TypeCheckerName(options.Typechecker),
		},
	}, nil
}

func (h *host) GetProgramDependencies(
	ctx context.Context, request *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	_, python, err := resolve(request.Info, false)
	if err != nil {
		return nil, err
	}
	packages, err := python.ListPackages(ctx, request.TransitiveDependencies)
	if err != nil {
		return nil, fmt.Errorf("list the program's packages: %w", err)
	}
	response := &pulumirpc.GetProgramDependenciesResponse{}
	for _, found := range packages {
		response.Dependencies = append(response.Dependencies,
			&pulumirpc.DependencyInfo{Name: found.Name, Version: found.Version})
	}
	return response, nil
}

func (h *host) InstallDependencies(
	request *pulumirpc.InstallDependenciesRequest,
	stream pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	_, python, err := resolve(request.Info, request.IsPlugin)
	if err != nil {
		return err
	}
	closer, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(stream, request.IsTerminal)
	if err != nil {
		return err
	}
	defer closer.Close()
	folder := request.Info.ProgramDirectory
	err = python.InstallDependencies(
		stream.Context(), folder, request.UseLanguageVersionTools, true, stdout, stderr)
	if err != nil || !request.IsPlugin {
		return err
	}
	// A plugin that is a package of its own is run by its name, so it is installed as well.
	if buildable, err := toolchain.IsBuildablePackage(folder); err != nil || !buildable {
		return err
	}
	command, err := python.ModuleCommand(stream.Context(), "pip", "install", folder)
	if err != nil {
		return err
	}
	command.Stdout, command.Stderr = stdout, stderr
	return command.Run()
}
