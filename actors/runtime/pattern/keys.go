package pattern

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"kouzui/actors/runtime/units"
)

// Key is one thing that can be set by name.
type Key struct {
	Name    string
	About   string
	Default string
}

// Keys lists the exported fields of a struct, with the values that they have.
// EndBlocks is called end-blocks; what a field is about stands in its tag
// `about`. A field has the type bool, int, float64, string or time.Duration, or
// is an encoding.TextUnmarshaler. Numbers are 0 or more.
func Keys(of any) []Key {
	v := reflect.ValueOf(of)
	var keys []Key
	for i := range v.NumField() {
		field := v.Type().Field(i)
		keys = append(keys, Key{keyName(field.Name), field.Tag.Get("about"), fmt.Sprint(v.Field(i))})
	}
	return keys
}

// Set sets the fields of the struct to which p points. The error is one line.
func Set(p any, values map[string]string) error {
	v := reflect.ValueOf(p).Elem()
	known := map[string]reflect.Value{}
	for i, key := range Keys(v.Interface()) {
		known[key.Name] = v.Field(i)
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		field, is := known[key]
		if !is {
			return unknownKey(key, slices.Sorted(maps.Keys(known)))
		}
		if err := setField(field, values[key]); err != nil {
			return fmt.Errorf("%s %q %w", key, values[key], err)
		}
	}
	if c, is := p.(interface{ Check() error }); is {
		return c.Check()
	}
	return nil
}

func unknownKey(key string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("there is no key %q, nor any other", key)
	}
	return fmt.Errorf("there is no key %q; there are %s", key, strings.Join(known, ", "))
}

func setField(field reflect.Value, text string) error {
	switch p := field.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		return p.UnmarshalText([]byte(text))
	case *time.Duration:
		d, err := units.ParseDuration(text)
		if err != nil || d < 0 {
			return errors.New("must be a time such as 30s")
		}
		*p = d
	case *bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return errors.New("must be true or false")
		}
		*p = b
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return errors.New("must be a whole number from 0 on")
		}
		*p = n
	case *float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || !(f >= 0) || math.IsInf(f, 0) {
			return errors.New("must be a number from 0 on")
		}
		*p = f
	case *string:
		*p = text
	default:
		panic(fmt.Sprintf("pattern: a key cannot have the type %T", p))
	}
	return nil
}

// keyName is EndBlocks as end-blocks.
func keyName(field string) string {
	var b strings.Builder
	for i, r := range field {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
