package debugview

import (
	"fmt"
	"strings"
)

// How much is shown at once, unless more is asked for.
const (
	mostAtFirst = 60  // actors whose trees are drawn at first; of more, the nodes are listed
	mostActors  = 200 // of a tree
	mostNodes   = 200
	mostBoxes   = 40 // mailboxes of many
	mostLetters = 10 // of each of them
	mostOfOne   = 200
	mostLinks   = 100
	preset      = 10 // of what is due, and of events
	mostWords   = 200
)

// more adds how many there are beside those that are shown.
func more(lines []string, n int, what string) []string {
	if n > 0 {
		lines = append(lines, fmt.Sprintf("… %d more %s", n, what))
	}
	return lines
}

func trimmed(lines []string) []string {
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// say tells people something that is no line of JSON.
func (s *Session) say(words string) error {
	return s.write(func() []string { return []string{words} }, func() []any { return nil })
}
