package main

import (
	"sort"
	"strings"

	"github.com/pulumi/inflector"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	tf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

var primitives = map[tf.ValueType]string{
	tf.TypeBool: "boolean", tf.TypeInt: "integer", tf.TypeFloat: "number", tf.TypeString: "string",
}

// packageSchema grows while it is written: each nested object becomes a type of its own.
type packageSchema schema.PackageSpec

type overrides = map[string]*tfbridge.SchemaInfo

// packageSchemaOf describes the plugin, for `pulumi import` to write programs from and for the
// bridge to check inputs against.
func packageSchemaOf(info tfbridge.ProviderInfo) *packageSchema {
	s := &packageSchema{
		Name: pkg, Version: version,
		Meta:      &schema.MetadataSpec{ModuleFormat: "(.*)(?:/[^/]*)"},
		Types:     map[string]schema.ComplexTypeSpec{},
		Resources: map[string]schema.ResourceSpec{},
		Functions: map[string]schema.FunctionSpec{},
	}
	for key, resource := range info.Resources {
		attributes := info.P.ResourcesMap().Get(key).Schema()
		s.Resources[string(resource.Tok)] = s.resource(string(resource.Tok.Name()), attributes, resource.Fields)
	}
	for key, function := range info.DataSources {
		attributes := info.P.DataSourcesMap().Get(key).Schema()
		s.Functions[string(function.Tok)] = s.function(string(function.Tok.Name()), attributes, function.Fields)
	}
	provider := s.resource("Provider", info.P.Schema(), info.Config)
	s.Provider, s.Config.Variables = &provider, provider.InputProperties
	return s
}

func (s *packageSchema) resource(name string, attributes tf.SchemaMap, infos overrides) schema.ResourceSpec {
	inputs, outputs := s.object(name, attributes, infos, isInput), s.object(name, attributes, infos, isAny)
	delete(outputs.Properties, "id") // every resource has one
	return schema.ResourceSpec{
		ObjectTypeSpec: outputs, InputProperties: inputs.Properties, RequiredInputs: inputs.Required,
	}
}

func (s *packageSchema) function(name string, attributes tf.SchemaMap, infos overrides) schema.FunctionSpec {
	inputs, outputs := s.object(name, attributes, infos, isInput), s.object(name, attributes, infos, isAny)
	outputs.Properties["id"] = schema.PropertySpec{TypeSpec: schema.TypeSpec{Type: "string"}}
	return schema.FunctionSpec{
		Inputs: &inputs, ReturnType: &schema.ReturnTypeSpec{ObjectTypeSpec: &outputs},
	}
}

func isInput(attribute tf.Schema) bool { return attribute.Optional() || attribute.Required() }
func isAny(tf.Schema) bool             { return true }

// object describes those attributes that `include` picks; owner begins the names of nested types.
func (s *packageSchema) object(
	owner string, attributes tf.SchemaMap, infos overrides, include func(tf.Schema) bool,
) schema.ObjectTypeSpec {
	object := schema.ObjectTypeSpec{Type: "object", Properties: map[string]schema.PropertySpec{}}
	attributes.Range(func(key string, attribute tf.Schema) bool {
		if !include(attribute) {
			return true
		}
		name := tfbridge.TerraformToPulumiNameV2(key, attributes, infos)
		object.Properties[name] = schema.PropertySpec{
			TypeSpec: s.typeOf(owner, name, attribute, infos[key]), Secret: attribute.Sensitive(),
		}
		named := infos[key] != nil && infos[key].Default != nil
		if attribute.Required() && !named {
			object.Required = append(object.Required, name)
		}
		return true
	})
	sort.Strings(object.Required)
	return object
}

func (s *packageSchema) typeOf(owner, name string, attribute tf.Schema, info *tfbridge.SchemaInfo) schema.TypeSpec {
	switch attribute.Type() {
	case tf.TypeMap:
		element := s.element(owner, name, attribute.Elem())
		return schema.TypeSpec{Type: "object", AdditionalProperties: &element}
	case tf.TypeList, tf.TypeSet:
		if tfbridge.IsMaxItemsOne(attribute, info) {
			return s.element(owner, name, attribute.Elem())
		}
		element := s.element(owner, inflector.Singularize(name), attribute.Elem())
		return schema.TypeSpec{Type: "array", Items: &element}
	default:
		return schema.TypeSpec{Type: primitives[attribute.Type()]}
	}
}

// element is what a list or a map holds: strings, if upstream does not tell.
func (s *packageSchema) element(owner, name string, element any) schema.TypeSpec {
	switch element := element.(type) {
	case tf.Resource:
		typeName := owner + strings.ToUpper(name[:1]) + name[1:]
		token := pkg + ":" + module + "/" + typeName + ":" + typeName
		s.Types[token] = schema.ComplexTypeSpec{ObjectTypeSpec: s.object(typeName, element.Schema(), nil, isAny)}
		return schema.TypeSpec{Ref: "#/types/" + token}
	case tf.Schema:
		return s.typeOf(owner, name, element, nil)
	default:
		return schema.TypeSpec{Type: "string"}
	}
}
