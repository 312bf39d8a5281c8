package main

import (
	"context"
	"encoding/json"
	"strings"

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

// Link has nothing to do: packages of PyPI are requirements like others. `pulumi convert` calls it
// even so; one that generates an SDK of its own calls GeneratePackage before, which this host lacks.
func (h *host) Link(context.Context, *pulumirpc.LinkRequest) (*pulumirpc.LinkResponse, error) {
	return &pulumirpc.LinkResponse{}, nil
}
