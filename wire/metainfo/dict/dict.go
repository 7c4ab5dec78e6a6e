// Package dict reads bencoded dictionaries (BEP 3) that strangers sent, without trusting them with memory, stack or time.
//
// Use: [Read] checks the bytes and splits one dictionary into raw values; [Dict.Text], [Dict.Int], [Dict.List] and
// [Dict.Dict] decode those that are needed. A value that nobody asks for costs its bytes and can do no harm, whatever its
// type; keys may stand in any order, as they do in the wild; of a key that comes twice the last value counts.
//
// The check goes before the bencode library, which on its own lets two input bytes ("de") cost a hundred in memory,
// refuses unsorted dictionaries under keys that nobody asked for, and turns a megabyte of digits into a big.Int.
package dict

import (
	"errors"
	"fmt"

	"github.com/anacrolix/torrent/bencode"
)

// MaxDepth is how deep lists and dictionaries may nest.
const MaxDepth = 64

// ErrNotDict is what Read returns for bencode that is something else than a dictionary.
var ErrNotDict = errors.New("not a dictionary")

// Limits bound what Read takes.
type Limits struct {
	Keys   int // of the dictionary itself
	Values int // in all, at every depth, keys included
}

// Dict is a dictionary whose values are still bencode, each checked to be well formed.
type Dict map[string]bencode.Bytes

// Read reads the dictionary that raw begins with and returns its length in bytes. What follows it is the caller's to judge.
func Read(raw []byte, lim Limits) (d Dict, n int, err error) {
	n, children, err := scan(raw, lim.Values)
	if err != nil {
		return nil, 0, err
	}
	if raw[0] != 'd' {
		return nil, n, ErrNotDict
	}
	if children/2 > lim.Keys {
		return nil, n, fmt.Errorf("%d keys in a dictionary, at most %d are taken", children/2, lim.Keys)
	}
	d = make(Dict, children/2)
	if err := bencode.Unmarshal(raw[:n], &d); err != nil {
		return nil, n, err
	}
	return d, n, nil
}

// Text returns a string value, or false if there is none or it is no string.
func (d Dict) Text(key string) (string, bool) { return Text(d[key]) }

// Int returns an integer value, or false if there is none, it is no integer, or one beyond 64 bits.
func (d Dict) Int(key string) (int64, bool) {
	raw := d[key]
	if len(raw) == 0 || raw[0] != 'i' || len(raw) > len("i-9223372036854775808e") {
		return 0, false
	}
	var n int64
	err := bencode.Unmarshal(raw, &n)
	return n, err == nil
}

// List returns the raw elements of a list, or false if there is none, it is no list, or has more elements than maxLen.
func (d Dict) List(key string, maxLen int) ([]bencode.Bytes, bool) { return List(d[key], maxLen) }

// Dict returns a nested dictionary, or false if there is none, it is no dictionary, or has more keys than maxKeys.
func (d Dict) Dict(key string, maxKeys int) (Dict, bool) {
	raw := d[key]
	in, _, err := Read(raw, Limits{Keys: maxKeys, Values: len(raw)})
	return in, err == nil
}

// Text decodes a string that Read has checked.
func Text(raw bencode.Bytes) (string, bool) {
	if len(raw) == 0 || !digit(raw[0]) {
		return "", false
	}
	var s string
	err := bencode.Unmarshal(raw, &s)
	return s, err == nil
}

// List splits a list that Read has checked, if it has at most maxLen elements.
func List(raw bencode.Bytes, maxLen int) ([]bencode.Bytes, bool) {
	if len(raw) == 0 || raw[0] != 'l' {
		return nil, false
	}
	if _, children, err := scan(raw, len(raw)); err != nil || children > maxLen {
		return nil, false
	}
	var l []bencode.Bytes
	err := bencode.Unmarshal(raw, &l)
	return l, err == nil
}
