package lab

import "testing"

// A scenario may be somebody else's: no text of it steers a terminal or a page.
func TestTextsOfAScenarioAreCleaned(t *testing.T) {
	s, err := Read("name = \"a\\u001b]0;x\\u202e\"\nabout = \"b\\u200b\\nc\"\ncontent = \"1 MiB\"\n[[class]]\nname = \"seed\\u001b[31m\"\nhave = 1.0\n" +
		"[[event]]\nat = \"1s\"\ndo = \"kill\"\nclass = \"seed\\u001b[31m\"\n")
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "a\uFFFD]0;x\uFFFD" || s.About != "b\uFFFD c" || s.Class[0].Name != "seed\uFFFD[31m" || s.Event[0].Class != s.Class[0].Name {
		t.Errorf("%q, %q, %q, %q", s.Name, s.About, s.Class[0].Name, s.Event[0].Class)
	}
}
