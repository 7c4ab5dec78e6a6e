package page

import (
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Now says when a section was measured, at which revision and on which machine:
// a sentence to stand below the tables.
func Now() string {
	return fmt.Sprintf("%s, revision %s, %s.", time.Now().UTC().Format("2006-01-02"), revision(), Machine())
}

// revision is that of the checkout in the working directory, with a + if files
// other than Markdown are changed: pages are written between two runs.
func revision() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	r := strings.TrimSpace(string(out))
	if changed, _ := exec.Command("git", "status", "--porcelain", "--untracked-files=no", "--", ":!*.md").Output(); len(changed) > 0 {
		r += "+"
	}
	return r
}
