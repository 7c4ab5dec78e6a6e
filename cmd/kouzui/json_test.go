package main

import (
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// linesSchema is the contract of what --json writes.
var linesSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	return jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "testdata", "kouzui-json-1.schema.json"))
})

// holdsSchema fails the script if a command was told to write JSON, and a line
// that begins like an object is not as the schema says. What is said of
// traces is no part of it.
func holdsSchema(ts *testscript.TestScript, args []string, output string) {
	if !slices.Contains(args, "--json") || slices.Contains(args, "trace") {
		return
	}
	schema, err := linesSchema()
	ts.Check(err)
	for line := range strings.Lines(output) {
		if !strings.HasPrefix(line, "{") || !strings.HasSuffix(line, "\n") {
			continue // the command was killed, or it is stderr
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		ts.Check(err)
		if err := schema.Validate(v); err != nil {
			ts.Fatalf("%s%v", line, err)
		}
	}
}
