// Command pulumi-language-python runs Pulumi programs, policy packs and plugins written in Python.
//
// It stands in for Pulumi's own language host where only package mirrors can be reached, and is
// built from the same public packages. Called as pulumi-resource-pulumi-python it runs the dynamic
// providers of a program.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/logging"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

const dynamicProviderName = "pulumi-resource-pulumi-python"

func main() {
	if filepath.Base(os.Args[0]) == dynamicProviderName {
		exitOn(runDynamicProvider(os.Args[1:]))
	}
	showVersion := flag.Bool("version", false, "print the version and exit")
	flag.String("tracing", "", "accepted for the engine's sake; this host sends no traces")
	flag.Parse()
	if *showVersion {
		fmt.Println(version.Version)
		return
	}
	logging.InitLogging(false, 0, false)
	exitOn(serve(flag.Arg(0)))
}

// serve answers one engine until it is interrupted or the engine has gone.
func serve(engineAddress string) error {
	executor, err := executorPath()
	if err != nil {
		return err
	}
	signalled, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, end := context.WithCancel(signalled)
	defer end()
	host := newHost(ctx, executor, engineAddress)
	server, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, host)
			return nil
		},
	})
	if err != nil {
		return fmt.Errorf("start the language host: %w", err)
	}
	fmt.Println(server.Port)
	go func() {
		waitForEndOfInput()
		end()
	}()
	<-ctx.Done()
	// An orderly end of the server takes longer and frees nothing that the end of the process
	// does not; only programs need time to clean up.
	host.running.Wait()
	return nil
}

// waitForEndOfInput returns when the engine has gone: it holds the other end of standard input,
// even when it is killed. Never where standard input is no pipe.
func waitForEndOfInput() {
	if info, err := os.Stdin.Stat(); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		select {}
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func executorPath() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	path := self + "-exec"
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s: should be installed beside the language host (got none). "+
			"Run the set-up again", path)
	}
	return path, nil
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
