package flags

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// farthest is the distance from which on a flag is no longer suggested.
const farthest = 3

// nearestFlag is the flag that the user may have meant by name, or "". One
// letter is like too many names.
func nearestFlag(set *pflag.FlagSet, name string) string {
	best, least := "", farthest
	if len(name) == 1 {
		return ""
	}
	set.VisitAll(func(f *pflag.Flag) {
		d := distance(name, f.Name)
		if strings.HasPrefix(f.Name, name) || strings.HasSuffix(f.Name, "-"+name) {
			d = 1
		}
		if d < least {
			best, least = f.Name, d
		}
	})
	return best
}

// nearest are the three names that are most like name.
func nearest(name string, names []string) []string {
	far := func(other string) int { return distance(strings.ToLower(name), strings.ToLower(other)) }
	sorted := slices.SortedStableFunc(slices.Values(names), func(a, b string) int { return cmp.Compare(far(a), far(b)) })
	return sorted[:min(3, len(sorted))]
}

// distance is how many letters have to be changed, added or removed to turn a
// into b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
