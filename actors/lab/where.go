package lab

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/BurntSushi/toml"
)

// problem is an error in a scenario and where it is: in the index-th table of
// that name; "" stands for the keys before all tables.
type problem struct {
	table string
	index int
	key   string
	err   error
}

func (p *problem) Error() string {
	if p.table == "" {
		return p.err.Error()
	}
	return fmt.Sprintf("%s: %v", p.table, p.err)
}

func (p *problem) Unwrap() error { return p.err }

// wrong makes the problem of a key. The message begins with the key.
func wrong(key, format string, args ...any) *problem {
	return &problem{key: key, err: fmt.Errorf(key+" "+format, args...)}
}

// in sets the table in which the key is.
func (p *problem) in(table string, index int) *problem {
	p.table, p.index = table, index
	return p
}

// located adds the line of the text to an error.
func located(text string, err error) error {
	var p *problem
	var parse toml.ParseError
	line := 0
	switch {
	case errors.As(err, &parse):
		line = parse.Position.Line
	case errors.As(err, &p):
		line = lineOf(text, p.table, p.index, p.key)
	}
	if line == 0 { // errors of the TOML library name their line themselves
		return worded(err)
	}
	return fmt.Errorf("line %d: %w", line, worded(err))
}

// worded is an error of the TOML library or of a scenario in one line, without
// the line of the text.
func worded(err error) error {
	var parse toml.ParseError
	if !errors.As(err, &parse) {
		message, _ := strings.CutPrefix(err.Error(), "toml: ")
		return errors.New(strings.ReplaceAll(message, "\n", " "))
	}
	message := parse.Message
	if message == "" {
		_, message, _ = strings.Cut(parse.Error(), "): ")
	}
	err = errors.New(strings.ReplaceAll(message, "\n", " "))
	if parse.LastKey != "" {
		err = fmt.Errorf("%s: %w", parse.LastKey, err)
	}
	return err
}

// lineOf returns the line on which a key is set in the index-th [[table]], or
// in any of them if index is negative; if the key is not there, the line of the
// table; 0 if there is none.
func lineOf(text, table string, index int, key string) int {
	at, count, here := "", -1, table == ""
	header := 0
	quoted := false
	for i, line := range strings.Split(text, "\n") {
		was := quoted
		quoted = quoted != (strings.Count(line, `"""`)%2 == 1)
		if was {
			continue
		}
		line = strings.TrimSpace(line)
		if name, is := strings.CutPrefix(line, "["); is {
			at, _, _ = strings.Cut(strings.Trim(name, "[ "), "]")
			at = strings.TrimSpace(at)
			if at == table {
				count++
			}
			if at == table+"."+key && (index < 0 || count == index) {
				return i + 1
			}
			if here = at == table && (index < 0 || count == index); here {
				header = i + 1
			}
			continue
		}
		name, _, is := strings.Cut(line, "=")
		name = strings.Trim(name, ` "'`)
		if here && is && (name == key || strings.HasPrefix(name, key+".")) {
			return i + 1
		}
		if at == "" && is && name == table { // class = [{ ... }]
			return i + 1
		}
	}
	return header
}

// unknown is the problem of a key that does not exist.
func unknown(key toml.Key) *problem {
	name := key[len(key)-1]
	table := reflect.TypeFor[Scenario]()
	for _, part := range key[:len(key)-1] {
		field, is := table.FieldByNameFunc(func(s string) bool { return strings.EqualFold(s, part) })
		if !is {
			break
		}
		if table = field.Type; table.Kind() == reflect.Slice {
			table = table.Elem()
		}
	}
	var keys []string
	for i := range table.NumField() {
		keys = append(keys, strings.ToLower(table.Field(i).Name))
	}
	p := &problem{table: key[0], index: -1, key: name, err: fmt.Errorf("there is no key %q; there are %s", name, strings.Join(keys, ", "))}
	switch len(key) {
	case 1:
		p.table = ""
	case 2:
	default: // a key of a table in a table, which is on a line of its own or on that of its name
		p.key, p.err = key[1], fmt.Errorf("%s: %w", strings.Join(key[1:len(key)-1], "."), p.err)
	}
	return p
}
