package lab

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// Every key that a scenario can have stands in the README of scenarios, in the
// table of its kind, and nothing else does.
func TestTheReadmeNamesEveryKey(t *testing.T) {
	raw, err := os.ReadFile("../../testdata/lab/README.md")
	if err != nil {
		t.Fatal(err)
	}
	const head = "| key | unit | default | meaning |\n"
	tables := strings.Split(string(raw), head)[1:]
	kinds := []any{Scenario{}, Class{}, Event{}}
	if len(tables) != len(kinds) {
		t.Fatalf("%d tables of keys", len(tables))
	}
	named := regexp.MustCompile("`([a-z]+)`")
	for i, kind := range kinds {
		about, _, _ := strings.Cut(tables[i], "\n\n")
		listed := map[string]string{} // the rows, by key
		for row := range strings.Lines(about) {
			cells := strings.SplitN(row, "|", 3)
			for _, key := range named.FindAllStringSubmatch(cells[1], -1) {
				listed[key[1]] = row
			}
		}
		for key, field := range keysOf(kind) {
			row, is := listed[key]
			if delete(listed, key); is {
				for sub := range subkeys(field) {
					if !regexp.MustCompile(`\b` + sub + `\b`).MatchString(row) {
						t.Errorf("%T: the row of %s does not name %s", kind, key, sub)
					}
				}
				continue
			}
			if !strings.Contains(string(raw), "[["+key+"]]") { // an array of tables
				t.Errorf("%T: %s is missing", kind, key)
			}
		}
		for key := range listed {
			t.Errorf("%T: there is no %s", kind, key)
		}
	}
}

// keysOf are the types of the fields of a struct, by their keys in TOML.
func keysOf(of any) map[string]reflect.Type {
	keys := map[string]reflect.Type{}
	for f := range reflect.TypeOf(of).Fields() {
		keys[strings.ToLower(f.Name)] = f.Type
	}
	return keys
}

// subkeys are the keys of a table in a table.
func subkeys(t reflect.Type) map[string]reflect.Type {
	if t.Kind() != reflect.Struct {
		return nil
	}
	return keysOf(reflect.Zero(t).Interface())
}
