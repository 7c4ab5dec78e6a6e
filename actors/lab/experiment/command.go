package experiment

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Again is the arguments of `kouzui lab simulate` that play the run of a job
// again, as a shell takes them.
func (e *Experiment) Again(variant int, seed uint64) string {
	words := []string{Quoted(e.Path), fmt.Sprintf("--seed %d", seed)}
	if e.Quick {
		words = append(words, "--quick")
	}
	for _, setting := range e.Variants[variant].Settings() {
		words = append(words, "--set "+setting)
	}
	return strings.Join(words, " ")
}

// Settings are what a variant sets, each as KEY=VALUE, as a shell takes it.
func (v Variant) Settings() (settings []string) {
	for _, key := range slices.Sorted(maps.Keys(v.Set)) {
		settings = append(settings, Quoted(key+"="+v.Set[key]))
	}
	return settings
}

// Quoted is a word as a shell takes it.
func Quoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,+", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Of is a measure by its name, which may be that of a class; the name must be
// one that Read has taken.
func Of(name string) Measure {
	word, _, _ := strings.Cut(name, " of ")
	i := slices.IndexFunc(measures, func(m Measure) bool { return m.Name == word })
	m := measures[i]
	m.Name = name
	return m
}
