package debug

import (
	"fmt"
	"strings"
)

// width is how long a line may be on which a value stands with all its parts.
const width = 76

// Lines are the value as lines of text, each behind indent.
func (v Value) Lines(indent string) []string {
	before := indent
	if v.Name != "" {
		before += v.Name + ": "
	}
	if v.plain() {
		if line := before + v.inline(); len(line) <= width || len(v.Kids) == 0 {
			return []string{line}
		}
	}
	lines := []string{before + v.Text}
	for _, k := range v.Kids {
		lines = append(lines, k.Lines(indent+"  ")...)
	}
	if v.More > 0 {
		lines = append(lines, fmt.Sprintf("%s  … %d more", indent, v.More))
	}
	return append(lines, v.zeroes(indent+"  ")...)
}

// plain tells whether no part of the value has parts that have parts.
func (v Value) plain() bool {
	for _, k := range v.Kids {
		for _, kk := range k.Kids {
			if len(kk.Kids) > 0 {
				return false
			}
		}
	}
	return len(v.Zero) == 0
}

// zeroes are the lines with the names of the fields that are zero.
func (v Value) zeroes(indent string) (lines []string) {
	line := "zero:"
	for _, name := range v.Zero {
		if len(indent)+len(line)+1+len(name) > width {
			lines, line = append(lines, indent+line), "     "
		}
		line += " " + name
	}
	if len(v.Zero) > 0 {
		lines = append(lines, indent+line)
	}
	return lines
}

// inline is the value on one line.
func (v Value) inline() string {
	if len(v.Kids) == 0 {
		return v.Text
	}
	var parts []string
	for _, k := range v.Kids {
		if v.list {
			parts = append(parts, k.inline())
		} else {
			parts = append(parts, k.Name+": "+k.inline())
		}
	}
	if v.More > 0 {
		parts = append(parts, fmt.Sprintf("… %d more", v.More))
	}
	if v.list {
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// String is the value as text.
func (v Value) String() string { return strings.Join(v.Lines(""), "\n") }
