package lab_test

import (
	"context"
	"os"
	"regexp"
	"testing"

	"kouzui/actors/lab/experiment"
)

// Each experiment of the page for learners can be played, and in the first seed
// of each of its variants all checks hold.
func TestThePageOfExperimentsIsTrue(t *testing.T) {
	page, err := os.ReadFile("../../docs/experiments.md")
	if err != nil {
		t.Fatal(err)
	}
	files := regexp.MustCompile(`(?m)^    kouzui lab experiment (testdata/\S+)$`).FindAllStringSubmatch(string(page), -1)
	if len(files) < 10 {
		t.Errorf("%d experiments", len(files))
	}
	for _, file := range files {
		t.Run(file[1], func(t *testing.T) {
			text, err := os.ReadFile("../../" + file[1])
			if err != nil {
				t.Fatal(err)
			}
			e, err := experiment.Read(string(text), "../../"+file[1], func(path string) (string, error) {
				text, err := os.ReadFile(path)
				return string(text), err
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(e.Variants) < 2 {
				t.Error("nothing is compared")
			}
			err = experiment.Local{Experiment: e, Workers: 2}.Run(context.Background(), e.Jobs(1, 1), func(o experiment.Outcome) {
				if o.Failure != "" {
					t.Errorf("%s: %s", e.Variants[o.Job.Variant].Name, o.Failure)
				}
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
