package messages

import (
	"embed"
	"regexp"
	"strings"
)

//go:embed *.go
var source embed.FS

var declaration = regexp.MustCompile(`(?m)^type ([A-Z]\w*) struct\b`)

// Names are the types of this package that are structs, all messages among them,
// as its text has them.
func Names() (names []string) {
	files, err := source.ReadDir(".")
	if err != nil {
		panic(err) // only for a folder that does not exist
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		text, err := source.ReadFile(f.Name())
		if err != nil {
			panic(err)
		}
		for _, found := range declaration.FindAllSubmatch(text, -1) {
			names = append(names, string(found[1]))
		}
	}
	return names
}
