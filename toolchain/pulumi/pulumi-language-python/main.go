// Command pulumi-language-python runs Pulumi programs, policy packs and plugins written in Python.
//
// It stands in for Pulumi's own language host where only package mirrors can be reached, and is
// built from the same public packages. Called as pulumi-resource-pulumi-python it runs the dynamic
// providers of a program.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/logging"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

func main() {
	flag.String("tracing", "", "accepted for the engine's sake; this host sends no traces")
	flag.Parse()
	logging.InitLogging(false, 0, false)
	if _, set := os.LookupEnv("GRPC_VERBOSITY"); !set {
		// gRPC reports the end of a cancelled run as a line of its own source code; the engine has
		// reported it by then. Every process started from here inherits this.
		os.Setenv("GRPC_VERBOSITY", "ERROR")
	}
	run := serve
	if filepath.Base(os.Args[0]) == "pulumi-resource-pulumi-python" {
		run = runDynamicProvider
	}
	err := run(flag.Arg(0))
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		os.Exit(ended.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// whileEngineLives returns a context that ends with a signal, or a second after the engine has gone:
// one that was killed says no farewell.
func whileEngineLives(engineAddress string) (context.Context, context.CancelFunc) {
	ctx, end := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	if err := rpcutil.Healthcheck(ctx, engineAddress, time.Second, end); err != nil {
		end()
	}
	return ctx, end
}

// serve answers one engine until it is interrupted or the engine has gone.
func serve(engineAddress string) error {
	ctx, end := whileEngineLives(engineAddress)
	defer end()
	programs, cancel := context.WithCancel(ctx)
	h := &host{engineAddress: engineAddress, ctx: ctx, programs: programs, cancelPrograms: cancel}
	server, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, h)
			return nil
		},
	})
	if err != nil {
		return fmt.Errorf("start the language host: %w", err)
	}
	fmt.Println(server.Port)
	<-ctx.Done()
	// An orderly end of the server takes longer and frees nothing that the end of the process
	// does not; only programs need time to clean up.
	h.running.Wait()
	return nil
}

// runDynamicProvider becomes the SDK's server of dynamic providers, in the program's own Python:
// their code was pickled by the program and refers to its modules. The engine starts it in the
// program's folder, with the runtime options as environment variables.
func runDynamicProvider(engineAddress string) error {
	ctx, end := whileEngineLives(engineAddress)
	defer end()
	folder, err := os.Getwd()
	if err != nil {
		return err
	}
	project, err := workspace.DetectProjectPathFrom(folder)
	if err != nil {
		return err
	}
	python, err := resolve(filepath.Dir(project), folder,
		os.Getenv("PULUMI_RUNTIME_VIRTUALENV"), os.Getenv("PULUMI_RUNTIME_TOOLCHAIN"))
	if err != nil {
		return err
	}
	command, err := python.Command(ctx, "-u", "-m", "pulumi.dynamic", engineAddress)
	if err != nil {
		return err
	}
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	return command.Run()
}
