package flags

import (
	"strings"
	"unicode"

	"github.com/spf13/pflag"

	"kouzui/cmd/kouzui/internal/exit"
)

// Separates tells whether r stands between the addresses of a list.
func Separates(r rune) bool { return r == ',' || unicode.IsSpace(r) }

// Environment sets the flags that are not on the command line from KOUZUI_*
// variables. An empty one is as good as none, but for what must not be empty
// when it is set. Of a flag that can be repeated, spaces separate the values.
func Environment(set *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var failed error
	set.VisitAll(func(f *pflag.Flag) {
		key := "KOUZUI_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := lookup(key)
		_, refuses := f.Value.(filled)
		if !ok || value == "" && !refuses || f.Changed || f.Name == "help" || f.Name == "version" || failed != nil {
			return
		}
		values := []string{value}
		if _, repeatable := f.Value.(pflag.SliceValue); repeatable {
			values = strings.Fields(value)
		}
		for _, v := range values {
			if err := set.Set(f.Name, v); err != nil {
				failed = exit.Usagef("", "%s: %w", key, plain(err))
				return
			}
		}
	})
	return failed
}
