package debug

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// Value is what a variable holds, as text, down to a depth: either Text alone,
// or what Kids hold.
type Value struct {
	Name string
	Text string // of a value that has parts, its type or how many there are
	Kids []Value
	More int      // parts that are not among Kids
	Zero []string // names of fields that are zero, and not among Kids
	list bool     // the kids' names say nothing: they are numbers from 0 on
}

// Bounds of what is shown of one value. What lies deeper is shown if its path
// is given.
const (
	mostDepth   = 5
	mostEntries = 12  // of a map or a list
	mostNumbers = 32  // of a list whose entries are short
	mostValues  = 300 // all in all
	mostText    = 120 // bytes of one text
	// foldFrom is of how many fields on a value does without those that are zero.
	foldFrom = 8
)

// reader makes the text of values. Each pointer is followed once.
type reader struct {
	left  int // values that may still be shown
	seen  map[pointer]bool
	timer func(any) string // how a timer stands; empty: it is none
}

type pointer struct {
	at unsafe.Pointer
	of reflect.Type
}

// read makes the text of what is at a path in v.
func read(v any, path string, timer func(any) string) (Value, error) {
	r := &reader{left: mostValues, seen: map[pointer]bool{}, timer: timer}
	at, err := r.find(holder(v), path)
	if err != nil {
		return Value{}, err
	}
	return r.value(path, at, mostDepth), nil
}

// holder returns a variable that holds v. All values that a reader handles are
// such that they could be set, so that fields which are not exported can be
// read.
func holder(v any) reflect.Value {
	h := reflect.New(reflect.TypeFor[any]()).Elem()
	if v != nil {
		h.Set(reflect.ValueOf(v))
	}
	return h
}

// held makes a value one that a reader can handle.
func held(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
	}
	h := reflect.New(v.Type()).Elem()
	h.Set(v)
	return h
}

func (r *reader) value(name string, v reflect.Value, depth int) Value {
	r.left--
	if text, is := r.leaf(v); is {
		return Value{Name: name, Text: text}
	}
	switch v.Kind() {
	case reflect.Interface:
		r.left++
		return r.value(name, held(v.Elem()), depth)
	case reflect.Pointer:
		p := pointer{v.UnsafePointer(), v.Type()}
		if r.seen[p] {
			return Value{Name: name, Text: "(above)"}
		}
		r.seen[p] = true
		r.left++
		return r.value(name, held(v.Elem()), depth)
	}
	if depth == 0 || r.left <= 0 {
		r.forget(v)
		return Value{Name: name, Text: sizeOf(v) + " …"}
	}
	switch v.Kind() {
	case reflect.Struct:
		return r.structure(name, v, depth)
	case reflect.Map:
		return r.entries(name, v, depth)
	default:
		return r.list(name, v, depth)
	}
}

// forget has a value that was not shown be shown where it is met again.
func (r *reader) forget(v reflect.Value) {
	delete(r.seen, pointer{unsafe.Pointer(v.UnsafeAddr()), reflect.PointerTo(v.Type())})
}

// sizeOf is a value that has parts in few words.
func sizeOf(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Map:
		return fmt.Sprintf("map of %d", v.Len())
	case reflect.Slice, reflect.Array:
		return fmt.Sprintf("list of %d", v.Len())
	}
	return typeName(v.Type())
}

// typeName is the name of a type as in its package; a type without a name has
// none.
func typeName(t reflect.Type) string {
	if t.Name() == "" {
		return ""
	}
	return t.String()
}

func (r *reader) structure(name string, v reflect.Value, depth int) Value {
	all := Value{Name: name, Text: typeName(v.Type())}
	for i := range v.NumField() {
		field, is := v.Type().Field(i), held(v.Field(i))
		if field.Name == "_" || field.Type.Size() == 0 {
			continue
		}
		switch {
		case v.NumField() >= foldFrom && isEmpty(is):
			all.Zero = append(all.Zero, field.Name)
		case r.left <= 0:
			all.More++
		default:
			all.Kids = append(all.Kids, r.value(field.Name, is, depth-1))
		}
	}
	return all
}

// isEmpty tells whether there is nothing to be shown of a value.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice:
		return v.Len() == 0
	}
	return v.IsZero() && !speaks(v)
}

func (r *reader) list(name string, v reflect.Value, depth int) Value {
	all := Value{Name: name, Text: sizeOf(v), list: true}
	most := mostEntries
	if simple(v.Type().Elem().Kind()) {
		most = mostNumbers
	}
	for i := range v.Len() {
		if i == most || r.left <= 0 {
			all.More = v.Len() - i
			break
		}
		all.Kids = append(all.Kids, r.value(strconv.Itoa(i), held(v.Index(i)), depth-1))
	}
	return all
}

func simple(k reflect.Kind) bool { return k >= reflect.Bool && k <= reflect.Float64 }

func (r *reader) entries(name string, v reflect.Value, depth int) Value {
	all := Value{Name: name, Text: sizeOf(v)}
	for i, e := range r.sorted(v) {
		if i == mostEntries || r.left <= 0 {
			all.More = v.Len() - i
			break
		}
		all.Kids = append(all.Kids, r.value(r.nameOf(e), held(v.MapIndex(e.key)), depth-1))
	}
	return all
}

// entry is a key of a map, and what stands for it.
type entry struct {
	key        reflect.Value
	name, text string // empty for a number
}

// sorted are the keys of a map in their order: of numbers the usual one, of all
// others that of their texts.
func (r *reader) sorted(v reflect.Value) []entry {
	all := make([]entry, 0, v.Len())
	for iter := v.MapRange(); iter.Next(); {
		e := entry{key: iter.Key()}
		if !e.key.CanInt() && !e.key.CanUint() {
			e.name = r.short(held(e.key))
		}
		if k := e.key.Kind(); k == reflect.Pointer || k == reflect.Interface { // keys that differ may look the same
			e.text = r.short(held(iter.Value()))
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b entry) int {
		switch {
		case a.key.CanInt():
			return cmp.Compare(a.key.Int(), b.key.Int())
		case a.key.CanUint():
			return cmp.Compare(a.key.Uint(), b.key.Uint())
		}
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.text, b.text))
	})
	return all
}

// nameOf is what stands for a key.
func (r *reader) nameOf(e entry) string {
	if e.name == "" {
		return r.short(held(e.key))
	}
	return e.name
}

// Bounds of a text that stands for a key of a map.
const (
	keyDepth  = 2
	keyValues = 12
)

// short is a value on one line.
func (r *reader) short(v reflect.Value) string {
	one := &reader{left: keyValues, seen: map[pointer]bool{}, timer: r.timer}
	value := one.value("", v, keyDepth)
	return clean(value.inline())
}
