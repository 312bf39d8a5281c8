package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/blang/semver"
	"github.com/hashicorp/hcl/v2"
	"github.com/pulumi/pulumi/pkg/v3/codegen/hcl2/syntax"
	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// withSchemas calls use with a loader of schemas that asks the engine.
func withSchemas(target string, use func(schema.ReferenceLoader) error) error {
	loader, err := schema.NewLoaderClient(target)
	if err != nil {
		return err
	}
	defer loader.Close()
	return use(schema.NewCachedLoader(loader))
}

func bindOptions(strict bool) []pcl.BindOption {
	options := []pcl.BindOption{pcl.PreferOutputVersionedInvokes}
	if !strict {
		options = append(options, pcl.NonStrictBindOptions()...)
	}
	return options
}

// GenerateProgram writes the Python of `pulumi import`.
func (h *host) GenerateProgram(
	_ context.Context, request *pulumirpc.GenerateProgramRequest,
) (*pulumirpc.GenerateProgramResponse, error) {
	parser := syntax.NewParser()
	for path, content := range request.Source {
		if err := parser.ParseFile(strings.NewReader(content), path); err != nil {
			return nil, err
		}
	}
	if parser.Diagnostics.HasErrors() {
		return nil, parser.Diagnostics
	}
	response := &pulumirpc.GenerateProgramResponse{}
	return response, withSchemas(request.LoaderTarget, func(loader schema.ReferenceLoader) error {
		program, found, err := pcl.BindProgram(parser.Files, loader, bindOptions(request.Strict)...)
		if err == nil && !found.HasErrors() {
			var more hcl.Diagnostics
			response.Source, more, err = python.GenerateProgram(program)
			found = append(found, more...)
		}
		response.Diagnostics = plugin.HclDiagnosticsToRPCDiagnostics(found)
		return err
	})
}

// GenerateProject writes the project of `pulumi convert`.
func (h *host) GenerateProject(
	_ context.Context, request *pulumirpc.GenerateProjectRequest,
) (*pulumirpc.GenerateProjectResponse, error) {
	var project workspace.Project
	if err := json.Unmarshal([]byte(request.Project), &project); err != nil {
		return nil, err
	}
	response := &pulumirpc.GenerateProjectResponse{}
	return response, withSchemas(request.LoaderTarget, func(loader schema.ReferenceLoader) error {
		program, found, err := pcl.BindDirectory(
			request.SourceDirectory, loader, bindOptions(request.Strict)...)
		response.Diagnostics = plugin.HclDiagnosticsToRPCDiagnostics(found)
		if err != nil || found.HasErrors() {
			return err
		}
		return python.GenerateProject(
			request.TargetDirectory, project, program, request.LocalDependencies, "", "")
	})
}

// GeneratePackage writes the Python SDK of a provider, for `pulumi package add` and `gen-sdk`.
func (h *host) GeneratePackage(
	_ context.Context, request *pulumirpc.GeneratePackageRequest,
) (*pulumirpc.GeneratePackageResponse, error) {
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(request.Schema), &spec); err != nil {
		return nil, err
	}
	response := &pulumirpc.GeneratePackageResponse{}
	return response, withSchemas(request.LoaderTarget, func(loader schema.ReferenceLoader) error {
		rules := schema.ValidationOptions{AllowDanglingReferences: true}
		bound, found, err := schema.BindSpec(spec, loader, rules)
		response.Diagnostics = plugin.HclDiagnosticsToRPCDiagnostics(found)
		if err != nil || found.HasErrors() {
			return err
		}
		files, err := python.GeneratePackage(
			"pulumi-language-python", bound, request.ExtraFiles, loader)
		if err != nil {
			return err
		}
		return writeFiles(request.Directory, files)
	})
}

func writeFiles(folder string, files map[string][]byte) error {
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Link adds generated SDKs to the program's requirements, and tells how to import them.
func (h *host) Link(
	ctx context.Context, request *pulumirpc.LinkRequest,
) (*pulumirpc.LinkResponse, error) {
	_, environment, err := resolve(request.Info, false)
	if err != nil || len(request.Packages) == 0 {
		return &pulumirpc.LinkResponse{}, err
	}
	paths := map[string]string{}
	var instructions strings.Builder
	instructions.WriteString("Import it in the program with:\n\n")
	err = withSchemas(request.LoaderTarget, func(loader schema.ReferenceLoader) error {
		for _, linked := range request.Packages {
			name, module, err := pythonNames(ctx, loader, linked.Package)
			if err != nil {
				return err
			}
			paths[name] = linked.Path
			fmt.Fprintf(&instructions, "  import %s\n", module)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := environment.LinkPackages(ctx, paths); err != nil {
		return nil, err
	}
	return &pulumirpc.LinkResponse{ImportInstructions: instructions.String()}, nil
}

// pythonNames returns the names under which a package is installed and imported.
func pythonNames(
	ctx context.Context, loader schema.ReferenceLoader, wanted *pulumirpc.PackageDependency,
) (name, module string, err error) {
	if wanted.Name == "pulumi" {
		return "pulumi", "pulumi", nil
	}
	reference, err := schema.LoadPackageReferenceV2(ctx, loader, descriptor(wanted))
	if err != nil {
		return "", "", err
	}
	bound, err := reference.Definition()
	if err != nil {
		return "", "", err
	}
	err = bound.ImportLanguages(map[string]schema.Language{"python": python.Importer})
	if err != nil {
		return "", "", err
	}
	module = python.PyPack(reference.Namespace(), reference.Name())
	if info, ok := bound.Language["python"].(python.PackageInfo); ok && info.PackageName != "" {
		module = info.PackageName
	}
	return module, module, nil
}

func descriptor(wanted *pulumirpc.PackageDependency) *schema.PackageDescriptor {
	described := &schema.PackageDescriptor{Name: wanted.Name, DownloadURL: wanted.Server}
	if version, err := semver.ParseTolerant(wanted.Version); err == nil {
		described.Version = &version
	}
	if parameters := wanted.Parameterization; parameters != nil {
		version, _ := semver.ParseTolerant(parameters.Version)
		described.Parameterization = &schema.ParameterizationDescriptor{
			Name: parameters.Name, Version: version, Value: parameters.Value,
		}
	}
	return described
}
