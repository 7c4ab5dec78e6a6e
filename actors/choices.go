package actors

import (
	"slices"

	"kouzui/actors/choker"
	"kouzui/actors/scheduler"
)

// Pickers are the values of TorrentOptions.Picker, the default first.
func Pickers() []string { return first(scheduler.DefaultPicker, scheduler.Pickers()) }

// Chokers are the values of TorrentOptions.Choker, the default first.
func Chokers() []string { return first(choker.Default, choker.Names()) }

// first is names with one of them moved to the front.
func first(name string, names []string) []string {
	i := slices.Index(names, name)
	return slices.Insert(slices.Delete(names, i, i+1), 0, name)
}
