package dict

import (
	"fmt"
	"iter"
)

// Check checks the dictionary at the start of raw as Read does, and returns its
// length in bytes. It allocates nothing: Items then goes through what it has.
func Check(raw []byte, lim Limits) (n int, err error) {
	n, children, err := scan(raw, lim.Values)
	switch {
	case err != nil:
		return 0, err
	case raw[0] != 'd':
		return n, ErrNotDict
	case children/2 > lim.Keys:
		return n, fmt.Errorf("%d keys in a dictionary, at most %d are taken", children/2, lim.Keys)
	}
	return n, nil
}

// Items are the items of a list, or the keys and values of a dictionary in
// turn, still bencode. They share the memory of raw, which Check has checked.
// Another value has none.
func Items(raw []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if len(raw) == 0 || raw[0] != 'd' && raw[0] != 'l' {
			return
		}
		for at := 1; raw[at] != 'e'; {
			n, _, _ := scan(raw[at:], len(raw))
			if !yield(raw[at : at+n : at+n]) {
				return
			}
			at += n
		}
	}
}

// Pairs are the keys of a dictionary that Check has checked, each with its
// value, which is still bencode.
func Pairs(raw []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		if len(raw) == 0 || raw[0] != 'd' {
			return
		}
		var key []byte
		for item := range Items(raw) {
			if key == nil {
				key = item
				continue
			}
			name, _ := content(key)
			if !yield(name, item) {
				return
			}
			key = nil
		}
	}
}

// Bytes returns the string that Check has checked without copying it, or false
// if raw is no string.
func Bytes(raw []byte) ([]byte, bool) { return content(raw) }
