package pattern

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// meals is a kind of this test alone.
var meals = NewKind[string]("meal", "what is eaten", "soup", Simulated, OfClass)

var _ = meals.Register("soup", "hot", func() string { return "soup" })

var _ = meals.Register("bread", "dry", func() string { return "bread" })

type toppings struct {
	TimeInOven time.Duration `about:"until it is taken out"`
	Slices     int           `about:"how many there are"`
	Spiced     bool          `about:"with pepper"`
	Share      float64       `about:"of it that is cheese"`
	With       string        `about:"what lies on it"`
}

func (t toppings) Check() error {
	if t.Slices > 12 {
		return fmt.Errorf("slices must be 12 at most")
	}
	return nil
}

var _ = Keyed(meals, "pizza", "flat", toppings{TimeInOven: time.Minute, Slices: 8}, func(t toppings) string {
	return fmt.Sprint(t)
})

func TestPatternsAreMadeByName(t *testing.T) {
	if diff := cmp.Diff([]string{"soup", "bread", "pizza"}, meals.Names()); diff != "" {
		t.Errorf("not the default first, and then by name: %s", diff)
	}
	for spec, want := range map[string]string{
		"":      "soup",
		"bread": "bread",
		"pizza": "{1m0s 8 false 0 }",
		"pizza, slices = 2,time-in-oven=90s,spiced=true,share=0.5,with=ham": "{1m30s 2 true 0.5 ham}",
	} {
		if got, err := meals.Make(spec); got != want || err != nil {
			t.Errorf("%q is %q, %v; want %q", spec, got, err, want)
		}
	}
	keys := meals.Patterns()[2].Keys
	if diff := cmp.Diff(Key{"time-in-oven", "until it is taken out", "1m0s"}, keys[0]); diff != "" {
		t.Error(diff)
	}
}

// What a user has written wrong is told in one line, which begins with what was
// written and names what there is.
func TestWrongPatternsNameWhatThereIs(t *testing.T) {
	for spec, want := range map[string]string{
		"cake":                   `"cake" is no meal; there are soup, bread, pizza`,
		"soup,hot=1":             `"soup,hot=1" is wrong: there is no key "hot", nor any other`,
		"pizza,size=1":           `"pizza,size=1" is wrong: there is no key "size"; there are share, slices, spiced, time-in-oven, with`,
		"pizza,slices":           `"pizza,slices" is wrong: "slices" must be KEY=VALUE`,
		"pizza,slices=1,slices=": `"pizza,slices=1,slices=" is wrong: slices is given twice`,
		"pizza,slices=-1":        `"pizza,slices=-1" is wrong: slices "-1" must be a whole number from 0 on`,
		"pizza,slices=13":        `"pizza,slices=13" is wrong: slices must be 12 at most`,
		"pizza,share=NaN":        `"pizza,share=NaN" is wrong: share "NaN" must be a number from 0 on`,
		"pizza,spiced=very":      `"pizza,spiced=very" is wrong: spiced "very" must be true or false`,
		"pizza,time-in-oven=-1s": `"pizza,time-in-oven=-1s" is wrong: time-in-oven "-1s" must be a time such as 30s`,
		",":                      `"," is wrong: "" must be KEY=VALUE`,
	} {
		if err := meals.Check(spec); err == nil || err.Error() != want {
			t.Errorf("%q: %v\nwant %s", spec, err, want)
		}
	}
}

func TestChoices(t *testing.T) {
	c, err := Parse([]string{"meal=pizza,slices=2"}, Simulated)
	if err != nil || c["meal"] != "pizza,slices=2" {
		t.Fatalf("%v, %v", c, err)
	}
	for _, tc := range []struct {
		texts []string
		runs  Runs
		want  string
	}{
		{[]string{"meal"}, Simulated, `"meal" must be KIND=NAME`},
		{[]string{"drink=tea"}, Simulated, `there is no kind of pattern "drink"; there are meal`},
		{[]string{"meal=cake"}, Simulated, `meal "cake" is no meal; there are soup`},
		{[]string{"meal="}, Simulated, "meal is empty; there are soup"},
		{[]string{"meal=soup", "meal=bread"}, Simulated, "meal is chosen twice"},
		{[]string{"meal=soup"}, Real, "meal can be chosen in simulated runs only"},
	} {
		if _, err := Parse(tc.texts, tc.runs); err == nil || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%q: %v, want %s", tc.texts, err, tc.want)
		}
	}
	if err := c.Check(Simulated, OfWorld, OfClass); err != nil {
		t.Error(err)
	}
	if err := c.Check(Simulated, OfWorld); err == nil || err.Error() != "meal is chosen for each class" {
		t.Errorf("%v", err)
	}
	if diff := cmp.Diff(Choice{"a": "1", "b": "2", "c": "4"}, Choice{"a": "1", "b": "2"}.Or(Choice{"b": "3", "c": "4"})); diff != "" {
		t.Error(diff)
	}
}

// A name that is registered twice would let one pattern hide another.
func TestNamesAreRegisteredOnce(t *testing.T) {
	for what, register := range map[string]func(){
		"a pattern": func() { meals.Register("soup", "again", func() string { return "" }) },
		"a kind":    func() { NewKind[int]("meal", "again", "", Real, OfClient) },
	} {
		t.Run(what, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it is registered twice")
				}
			}()
			register()
		})
	}
}
