package actors_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"kouzui/actors/runtime/pattern"

	_ "kouzui/actors/lab" // has kinds of its own
)

// Each kind has its default, and says about itself and its patterns what fits
// in a list.
func TestPatternsSayWhatTheyAre(t *testing.T) {
	if len(pattern.Kinds()) < 2 {
		t.Fatalf("only %d kinds of patterns", len(pattern.Kinds()))
	}
	for _, kind := range pattern.Kinds() {
		if err := kind.Check(""); err != nil {
			t.Errorf("%s has no default: %v", kind.Name, err)
		}
		mustBeListed(t, "the kind "+kind.Name, kind.Name, kind.About)
		for _, p := range kind.Patterns() {
			mustBeListed(t, kind.Name+" "+p.Name, p.Name, p.About)
			for _, key := range p.Keys {
				mustBeListed(t, kind.Name+" "+p.Name+" "+key.Name, key.Name, key.About)
			}
		}
	}
}

var patternName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

func mustBeListed(t *testing.T, what, name, about string) {
	t.Helper()
	if !patternName.MatchString(name) || about == "" || strings.ContainsAny(about, "\n") || strings.HasSuffix(about, ".") {
		t.Errorf("%s cannot be listed: %q", what, about)
	}
}

// The page docs/PATTERNS.md has a row for each kind, and names no pattern that
// there is not.
func TestThePageOfPatternsIsTrue(t *testing.T) {
	rows := map[string]bool{}
	for line := range strings.Lines(pages(t)["docs/PATTERNS.md"]) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		var words []string
		for _, word := range quoted.FindAllString(line, -1) {
			words = append(words, strings.Trim(word, "`"))
		}
		kind, err := pattern.Find(words[0])
		if err != nil {
			t.Error(err)
			continue
		}
		rows[kind.Name] = true
		for _, name := range words[1:] {
			if !slices.Contains(kind.Names(), name) {
				t.Errorf("there is no %s %s", kind.Name, name)
			}
		}
	}
	for _, kind := range pattern.Kinds() {
		if !rows[kind.Name] {
			t.Errorf("the kind %s is not on the page", kind.Name)
		}
	}
}
