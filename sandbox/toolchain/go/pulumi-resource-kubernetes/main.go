// The Kubernetes provider of Pulumi as its makers build it: their library, with their schema inside.
// The two JSON files are not kept here, they lie in the provider's own module: the build lays them over this directory.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var terraformMapping []byte

// The release that the schema belongs to.
const version = "4.25.0"

func main() {
	provider.Serve("kubernetes", version, schema, terraformMapping)
}
