package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// GetRequiredPackages lists the Pulumi packages of a program, so that the engine loads their
// plugins. pip would take a second to list them at every command; the folders are there to read.
func (h *host) GetRequiredPackages(
	ctx context.Context, request *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	_, python, err := resolve(request.Info, false)
	if err != nil {
		return nil, err
	}
	folder := request.Info.ProgramDirectory
	if err := python.EnsureVenv(ctx, folder, false, true, os.Stdout, os.Stderr); err != nil {
		return nil, err
	}
	places, err := modulePath(ctx, python)
	if err != nil {
		return nil, err
	}
	packages, err := requiredPackages(places)
	return &pulumirpc.GetRequiredPackagesResponse{Packages: packages}, err
}

// modulePath asks the project's Python where it looks for modules.
func modulePath(ctx context.Context, python toolchain.Toolchain) ([]string, error) {
	command, err := python.Command(ctx, "-c", `import sys; print("\n".join(sys.path[1:]))`)
	if err != nil {
		return nil, err
	}
	printed, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: should print its module path (got %w). "+
			"Check the environment, or run `pulumi install`", command.Path, err)
	}
	return strings.Split(strings.TrimSpace(string(printed)), "\n"), nil
}

// requiredPackages returns the packages that have a plugin; of one found twice the first counts,
// as in an import.
func requiredPackages(places []string) ([]*pulumirpc.PackageDependency, error) {
	found := []*pulumirpc.PackageDependency{}
	seen := map[string]bool{}
	for _, place := range places {
		// A place that does not exist, or is a zip file, has no packages of interest.
		folders, _ := filepath.Glob(filepath.Join(place, "*.dist-info"))
		for _, folder := range folders {
			name, version, _ := strings.Cut(strings.TrimSuffix(filepath.Base(folder), ".dist-info"), "-")
			module := strings.NewReplacer("-", "_", ".", "_").Replace(name)
			if seen[strings.ToLower(module)] {
				continue
			}
			seen[strings.ToLower(module)] = true
			dependency, err := packageDependency(places, module, version)
			if err != nil {
				return nil, err
			}
			if dependency != nil {
				found = append(found, dependency)
			}
		}
	}
	return found, nil
}

// packageDependency returns what the engine has to load for an installed package: nil for one that
// has no plugin.
func packageDependency(
	places []string, module, packageVersion string,
) (*pulumirpc.PackageDependency, error) {
	described, err := readPluginFile(places, module)
	if err != nil || described == nil || !described.Resource {
		return nil, err
	}
	version := described.Version
	if version == "" {
		version = pluginVersion(packageVersion)
	}
	if version == "" {
		return nil, nil
	}
	name := described.Name
	if name == "" {
		name = strings.ReplaceAll(strings.TrimPrefix(module, "pulumi_"), "_", "-")
	}
	return &pulumirpc.PackageDependency{
		Name:             name,
		Version:          "v" + strings.TrimPrefix(version, "v"),
		Kind:             "resource",
		Server:           described.Server,
		Parameterization: parameterization(described.Parameterization),
		Extension:        parameterization(described.ExtensionParameterization),
	}, nil
}

func readPluginFile(places []string, module string) (*plugin.PulumiPluginJSON, error) {
	for _, place := range places {
		file := filepath.Join(place, module, "pulumi-plugin.json")
		content, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		described := &plugin.PulumiPluginJSON{}
		if err := json.Unmarshal(content, described); err != nil {
			return nil, fmt.Errorf("%s: should be JSON (got %w). Install the package again", file, err)
		}
		return described, nil
	}
	return nil, nil
}

func parameterization(
	found *plugin.PulumiParameterizationJSON,
) *pulumirpc.PackageParameterization {
	if found == nil {
		return nil
	}
	return &pulumirpc.PackageParameterization{
		Name: found.Name, Version: found.Version, Value: found.Value,
	}
}

var (
	pythonVersion = regexp.MustCompile(
		`^(\d+(?:\.\d+)*)(?:(a|b|rc)(\d+))?(?:\.(post\d+))?(?:\.(dev\d+))?$`)
	phases = map[string]string{"a": "alpha", "b": "beta", "rc": "rc"}
)

// pluginVersion turns a package's version (PEP 440) into its plugin's (semantic versioning), or
// into "" where it cannot be known: `1.0a1` is `1.0.0-alpha.1`, `1.0.0.post1` is `1.0.0+post1`.
func pluginVersion(packageVersion string) string {
	match := pythonVersion.FindStringSubmatch(packageVersion)
	if match == nil {
		return ""
	}
	version := match[1]
	for strings.Count(version, ".") < 2 {
		version += ".0"
	}
	if match[2] != "" {
		version += "-" + phases[match[2]] + "." + match[3]
	}
	if build := match[4] + match[5]; build != "" {
		version += "+" + build
	}
	return version
}
