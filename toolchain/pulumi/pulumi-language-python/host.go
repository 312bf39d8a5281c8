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

	engineAddress  string
	ctx            context.Context // ends with the host
	programs       context.Context // ends when the engine cancels its programs
	cancelPrograms context.CancelFunc
	running        sync.WaitGroup
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

// InstallDependencies makes the Python environment of a project, as `pulumi install` asks for.
func (h *host) InstallDependencies(
	request *pulumirpc.InstallDependenciesRequest,
	stream pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	python, err := pythonOf(request.Info, request.IsPlugin)
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

// pythonOf returns the Python of a program or plugin.
func pythonOf(info *pulumirpc.ProgramInfo, isPlugin bool) (toolchain.Toolchain, error) {
	options := info.GetOptions().GetFields()
	virtualenv, name := options["virtualenv"].GetStringValue(), options["toolchain"].GetStringValue()
	if isPlugin && virtualenv == "" && (name == "" || name == "pip") {
		virtualenv = "venv" // a plugin never runs in the machine's own Python
	}
	return resolve(info.GetRootDirectory(), info.GetProgramDirectory(), virtualenv, name)
}

// resolve returns the Python that `runtime.options` of Pulumi.yaml choose.
func resolve(root, folder, virtualenv, name string) (toolchain.Toolchain, error) {
	options := toolchain.PythonOptions{Root: root, ProgramDir: folder, Virtualenv: virtualenv}
	switch name {
	case "":
	case "pip":
		options.Toolchain = toolchain.Pip
	case "poetry":
		options.Toolchain = toolchain.Poetry
	case "uv":
		options.Toolchain = toolchain.Uv
	default:
		return nil, fmt.Errorf("Pulumi.yaml:runtime.options.toolchain: should be pip, poetry or uv "+
			"(got %q). Change it, or leave it out.", name)
	}
	return toolchain.ResolveToolchain(options)
}

// endBy makes a command get a signal, once, at the end of its context, and not be killed before it
// has had time to clean up.
func endBy(command *exec.Cmd, signal os.Signal) {
	command.Cancel = func() error { return command.Process.Signal(signal) }
	command.WaitDelay = graceTime
}
