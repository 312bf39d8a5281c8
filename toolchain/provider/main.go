// pulumi-resource-docker joins two official parts: the Terraform provider inside Pulumi's Docker
// plugin, and the bridge that makes a Pulumi plugin of it. It is built where the plugin cannot be
// downloaded, and has all of it but `docker.Image`, under the same tokens and property names.
package main

import (
	"context"
	"encoding/json"
	"os"
	"runtime"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	sdk "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

const (
	pkg    = "docker"
	module = "index"
	// The Python SDK's version: its programs ask for exactly this plugin.
	version = "5.2.0"
)

func main() {
	info := bridged()
	// The official plugin embeds a generated file. Its generator is 400 packages more to build;
	// describing the provider at the start takes milliseconds.
	encoded, err := json.Marshal(packageSchemaOf(info))
	if err != nil {
		cmdutil.ExitError(err.Error())
	}
	tfbridge.Main(pkg, version, info, encoded)
}

// bridged is the upstream provider with the official plugin's tokens, names and rules: they are
// part of every program and every state.
func bridged() tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:       sdk.NewProvider(provider.New(version)()),
		Name:    pkg,
		Version: version,

		PreConfigureCallback: aimBuilds,
		Config: map[string]*tfbridge.SchemaInfo{
			"host": {Default: &tfbridge.DefaultInfo{
				EnvVars: []string{"DOCKER_HOST"}, ComputeDefault: localEngine,
			}},
			"registry_auth": {Name: "registryAuth", MaxItemsOne: tfbridge.False()},
		},
		Resources: map[string]*tfbridge.ResourceInfo{
			"docker_config": {Tok: tfbridge.MakeResource(pkg, module, "ServiceConfig")},
			"docker_container": {
				Tok: tfbridge.MakeResource(pkg, module, "Container"),
				// A fixed name or port can be held by one container only.
				DeleteBeforeReplace: true,
				Fields: map[string]*tfbridge.SchemaInfo{
					"command":           {Name: "command"},
					"networks_advanced": {Name: "networksAdvanced"},
				},
			},
			"docker_image": {
				Tok: tfbridge.MakeResource(pkg, module, "RemoteImage"),
				// Named here, so that SetAutonaming leaves it alone: this name is an image's address.
				Fields: map[string]*tfbridge.SchemaInfo{"name": {Name: "name"}},
			},
		},
		DataSources: map[string]*tfbridge.DataSourceInfo{
			"docker_image": {Tok: tfbridge.MakeDataSource(pkg, module, "getRemoteImage")},
		},
	}
	info.MustComputeTokens(tokens.SingleModule("docker_", module, tokens.MakeStandard(pkg)))
	info.SetAutonaming(255, "-")
	return info
}

func localEngine(context.Context, tfbridge.ComputeDefaultOptions) (any, error) {
	if runtime.GOOS == "windows" {
		return "npipe:////./pipe/docker_engine", nil
	}
	return "unix:///var/run/docker.sock", nil
}

// aimBuilds makes image builds use the engine of this provider. Upstream builds with a Docker CLI
// of its own, which reads the environment: without this, images for a remote engine are built on
// the local one. The official plugin sets DOCKER_HOST too.
func aimBuilds(config resource.PropertyMap, _ shim.ResourceConfig) error {
	engineContext, given := config["context"]
	if !given {
		engineContext = resource.NewStringProperty(os.Getenv("DOCKER_CONTEXT"))
	}
	if engineContext.IsString() && engineContext.StringValue() != "" {
		os.Unsetenv("DOCKER_HOST") // it would win
		return os.Setenv("DOCKER_CONTEXT", engineContext.StringValue())
	}
	if host := config["host"]; host.IsString() {
		return os.Setenv("DOCKER_HOST", host.StringValue())
	}
	return nil
}
