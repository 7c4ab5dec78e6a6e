// Package dict reads bencoded dictionaries (BEP 3) from untrusted sources,
// within limits of memory, stack and time.
//
// Use: [Read] checks the bytes and splits one dictionary into raw values;
// [Dict.Text], [Dict.Int], [Dict.List] and [Dict.Dict] decode those that are
// needed. A value that is not decoded costs only its bytes, whatever its type.
// Keys may come in any order; if a key comes twice, its last value counts.
//
// The check comes before the bencode library. The library alone would let two
// bytes of input ("de") cost a hundred bytes of memory, would refuse unsorted
// dictionaries under keys that are not needed, and would make a big.Int of a
// megabyte of digits.
package dict

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/anacrolix/torrent/bencode"
)

// MaxDepth is how deep lists and dictionaries may nest.
const MaxDepth = 64

// ErrNotDict means that Read was given bencode other than a dictionary.
var ErrNotDict = errors.New("not a dictionary")

// Limits limits what Read accepts.
type Limits struct {
	Keys   int // of the dictionary itself
	Values int // in all, at every depth, keys included
}

// Dict is a dictionary whose values are still bencode, checked to be well
// formed. The values share the memory of what was read, which must not be
// changed while they are in use.
type Dict map[string]bencode.Bytes

// Read reads the dictionary at the start of raw, and returns its length in
// bytes. The caller decides about what follows.
func Read(raw []byte, lim Limits) (d Dict, n int, err error) {
	if n, err = Check(raw, lim); err != nil {
		return nil, n, err
	}
	d = make(Dict)
	for key, value := range Pairs(raw[:n]) {
		d[string(key)] = value
	}
	return d, n, nil
}

// split cuts a list or dictionary, which scan has checked, into its items, keys
// included. They share the memory of raw: most of a .torrent is one string,
// which must not be copied at every level.
func split(raw []byte, items int) []bencode.Bytes {
	all := make([]bencode.Bytes, items)
	at := 1
	for i := range all {
		n, _, _ := scan(raw[at:], len(raw))
		all[i] = raw[at : at+n : at+n]
		at += n
	}
	return all
}

// Bytes returns a string value without copying it, or false if there is none or
// it is no string.
func (d Dict) Bytes(key string) ([]byte, bool) { return content(d[key]) }

// Text returns a string value, or false if there is none or it is no string.
func (d Dict) Text(key string) (string, bool) { return Text(d[key]) }

// Int returns an integer value, or false if there is none, it is no integer, or
// one beyond 64 bits.
func (d Dict) Int(key string) (int64, bool) { return Int(d[key]) }

// Int decodes an integer that Check has checked, or returns false if raw is no
// integer, or one beyond 64 bits.
func Int(raw []byte) (int64, bool) {
	if len(raw) == 0 || raw[0] != 'i' || len(raw) > len("i-9223372036854775808e") {
		return 0, false
	}
	digits := raw[1 : len(raw)-1]
	n, err := strconv.ParseInt(string(digits), 10, 64)
	plain := strconv.AppendInt(make([]byte, 0, 20), n, 10)
	if err != nil || !bytes.Equal(plain, digits) {
		return 0, false
	}
	return n, true
}

// List returns the raw elements of a list, or false if there is none, it is no
// list, or has more elements than maxLen.
func (d Dict) List(key string, maxLen int) ([]bencode.Bytes, bool) { return List(d[key], maxLen) }

// Dict returns a nested dictionary, or false if there is none, it is no
// dictionary, or has more keys than maxKeys.
func (d Dict) Dict(key string, maxKeys int) (Dict, bool) {
	raw := d[key]
	in, _, err := Read(raw, Limits{Keys: maxKeys, Values: len(raw)})
	return in, err == nil
}

// Text decodes a string that Read has checked.
func Text(raw bencode.Bytes) (string, bool) {
	text, ok := content(raw)
	return string(text), ok
}

func content(raw bencode.Bytes) ([]byte, bool) {
	if len(raw) == 0 || !digit(raw[0]) {
		return nil, false
	}
	_, text, ok := bytes.Cut(raw, []byte(":"))
	return text, ok
}

// List splits a list that Read has checked, if it has at most maxLen elements.
func List(raw bencode.Bytes, maxLen int) ([]bencode.Bytes, bool) {
	if len(raw) == 0 || raw[0] != 'l' {
		return nil, false
	}
	_, children, err := scan(raw, len(raw))
	if err != nil || children > maxLen {
		return nil, false
	}
	return split(raw, children), true
}
