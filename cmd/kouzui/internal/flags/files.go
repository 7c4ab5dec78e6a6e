package flags

import (
	"kouzui"
	"strings"

	"github.com/spf13/pflag"

	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/wire/choice"
)

// Files are the flags that choose files of torrents.
type Files struct {
	selected, excluded, priorities []string
}

// Bind adds the flags; what a selector is stands in the first usage text.
func (f *Files) Bind(set *pflag.FlagSet, do string) {
	set.StringArrayVar(&f.selected, "select", nil, do+" only the files `FILES`: indices as info shows them (3, 2-5, 0,4-7), or a pattern such as '*.mkv', held against each name on the path, or against the path if it has a slash (repeatable)")
	set.StringArrayVar(&f.excluded, "exclude", nil, do+" no files that `FILES` names, in the same way (repeatable)")
}

// BindPriority adds the flag for what is downloaded first.
func (f *Files) BindPriority(set *pflag.FlagSet) {
	set.StringArrayVar(&f.priorities, "priority", nil, "download files first or last: `PRIORITY:FILES` is high, normal or low, and files as of --select (repeatable)")
}

// Choice is what the flags choose; nil: all files alike.
func (f *Files) Choice() (*kouzui.Choice, error) {
	c := &kouzui.Choice{}
	for _, list := range []struct {
		flag  string
		texts []string
		into  *[]kouzui.FileSelector
	}{{"select", f.selected, &c.Select}, {"exclude", f.excluded, &c.Exclude}} {
		for _, text := range list.texts {
			s, err := kouzui.ParseFiles(text)
			if err != nil {
				return nil, exit.Usagef("", "--%s %v", list.flag, err)
			}
			*list.into = append(*list.into, s)
		}
	}
	for _, text := range f.priorities {
		word, names, ok := strings.Cut(text, ":")
		if !ok {
			return nil, exit.Usagef("", "--priority %q must be PRIORITY:FILES, as in high:'*.mkv'", text)
		}
		p, err := choice.ParsePriority(word)
		if err != nil {
			return nil, exit.Usagef("", "--priority %v", err)
		}
		s, err := kouzui.ParseFiles(names)
		if err != nil {
			return nil, exit.Usagef("", "--priority %v", err)
		}
		c.Priorities = append(c.Priorities, kouzui.FileRule{Files: s, Priority: p})
	}
	if c.Empty() {
		return nil, nil
	}
	return c, nil
}
