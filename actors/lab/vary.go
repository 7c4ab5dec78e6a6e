package lab

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// Settings are values of keys of a scenario that replace what its text says. A
// key is one before all tables ("content", or "event" for all events), one of
// its patterns ("patterns.schedule"), one of all classes but foes and bare
// nodes ("class.choker"), of one class ("class.giver.up"), or of one event,
// counted from 1 ("event.2.count"). Keys of tables in tables follow after dots
// ("class.giver.disk.rate").
type Settings map[string]any

// ReadWith reads a scenario from TOML as if the text had the settings. The text
// alone must be readable by Read, whose errors name the line.
func ReadWith(text string, set Settings) (*Scenario, error) {
	keys := map[string]any{}
	if _, err := toml.Decode(text, &keys); err != nil {
		return nil, located(text, err)
	}
	keys = lower(keys)
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if err := put(keys, key, set[key]); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(keys); err != nil {
		return nil, worded(err)
	}
	s, err := decode(b.String())
	if err != nil { // with a line of a text that nobody has seen
		return nil, errors.New(unseenLine.ReplaceAllString(worded(err).Error(), "$1: "))
	}
	return s, nil
}

// ParseSetting reads "KEY=VALUE", as on a command line. The value is as in
// TOML; a text needs no quotes.
func ParseSetting(text string) (key string, value any, err error) {
	key, written, is := strings.Cut(text, "=")
	if key = strings.TrimSpace(key); !is || key == "" {
		return "", nil, fmt.Errorf("%q is not KEY=VALUE", text)
	}
	var parsed struct{ V any }
	if _, err := toml.Decode("v = "+written, &parsed); err == nil && !strings.ContainsAny(written, "\n") {
		return key, parsed.V, nil
	}
	return key, written, nil
}

// unseenLine is how an error of the TOML library begins, with the key.
var unseenLine = regexp.MustCompile(`^line \d+ \(last key "([^"]*)"\): `)

// lower is the tables with their keys in lower case, since the case of a key
// does not matter in a scenario.
func lower(table map[string]any) map[string]any {
	low := map[string]any{}
	for key, value := range table {
		switch v := value.(type) {
		case map[string]any:
			value = lower(v)
		case []map[string]any:
			tables := make([]map[string]any, len(v))
			for i := range v {
				tables[i] = lower(v[i])
			}
			value = tables
		}
		low[strings.ToLower(key)] = value
	}
	return low
}

// put sets one key of a scenario.
func put(keys map[string]any, key string, value any) error {
	path := strings.Split(key, ".")
	if len(path) == 1 || path[0] != "class" && path[0] != "event" {
		return within(keys, path, value)
	}
	tables, err := tablesOf(keys, path[0])
	if err != nil {
		return err
	}
	var chosen []map[string]any
	rest := path[1:]
	if path[0] == "event" {
		n, err := strconv.Atoi(rest[0])
		if err != nil || n < 1 || n > len(tables) {
			return fmt.Errorf("there is no event %q; there are %d, counted from 1", rest[0], len(tables))
		}
		chosen, rest = tables[n-1:n], rest[1:]
	} else if i := slices.IndexFunc(tables, func(t map[string]any) bool { return t["name"] == rest[0] }); i >= 0 && len(rest) > 1 {
		chosen, rest = tables[i:i+1], rest[1:]
	} else {
		chosen = slices.DeleteFunc(slices.Clone(tables), hasNoTorrent)
	}
	if len(rest) == 0 {
		return fmt.Errorf("names a table, and must name a key of it")
	}
	for _, table := range chosen {
		if err := within(table, rest, value); err != nil {
			return err
		}
	}
	return nil
}

// hasNoTorrent tells whether the nodes of a class are foes, or in the DHT
// alone.
func hasNoTorrent(class map[string]any) bool {
	hostile, is := class["hostile"].([]any)
	return is && len(hostile) > 0 || class["bare"] == true
}

// tablesOf are the tables of an array of tables, in either way to write it.
func tablesOf(keys map[string]any, name string) ([]map[string]any, error) {
	switch v := keys[name].(type) {
	case []map[string]any:
		return v, nil
	case []any: // written as class = [{ ... }]
		var tables []map[string]any
		for _, one := range v {
			if table, is := one.(map[string]any); is {
				tables = append(tables, lower(table))
			}
		}
		keys[name] = tables
		return tables, nil
	}
	return nil, fmt.Errorf("the scenario has no %s", name)
}

// within sets a key of a table, or of a table in it.
func within(table map[string]any, path []string, value any) error {
	if len(path) == 1 {
		table[path[0]] = value
		return nil
	}
	inner, is := table[path[0]].(map[string]any)
	if _, other := table[path[0]]; other && !is {
		return fmt.Errorf("%s is no table", path[0])
	}
	if !is {
		inner = map[string]any{}
		table[path[0]] = inner
	}
	return within(inner, path[1:], value)
}
