package debug

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unsafe"
)

// steps cuts a path such as "swarm.byKey[3].rate" into its steps.
func steps(path string) (all []string, err error) {
	for rest := path; rest != ""; {
		if key, is := strings.CutPrefix(rest, "["); is {
			end := strings.IndexByte(key, ']')
			if end < 0 {
				return nil, fmt.Errorf("%q has no ]", path)
			}
			all, rest = append(all, key[:end]), strings.TrimPrefix(key[end+1:], ".")
			continue
		}
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		if end == 0 {
			return nil, fmt.Errorf("%q is no path: fields are separated by dots, as in swarm.goal", path)
		}
		all, rest = append(all, rest[:end]), strings.TrimPrefix(rest[end:], ".")
	}
	return all, nil
}

// find follows a path into a value. A path may begin anywhere within, if there
// is one field of that name.
func (r *reader) find(v reflect.Value, path string) (reflect.Value, error) {
	way, err := steps(path)
	if err != nil {
		return v, err
	}
	for i, step := range way {
		part, there := r.enter(bare(v), step)
		if !part.IsValid() && i == 0 {
			var err error
			if part, err = within(bare(v), step); err != nil {
				return v, err
			}
		}
		if !part.IsValid() {
			what := "there"
			if i > 0 {
				what = "in " + strings.Join(way[:i], ".")
			}
			return v, fmt.Errorf("there is no %q %s%s", clean(step), what, among(there))
		}
		v = part
	}
	return v, nil
}

// withinDepth is how deep a field is looked for.
const withinDepth = 4

// within finds the only field of a name in the structs of which a value is
// made, layer by layer; the zero Value: there is none. Several in the layer
// nearest to the top are an error.
func within(v reflect.Value, name string) (reflect.Value, error) {
	type place struct {
		at   reflect.Value
		path string
	}
	seen := map[pointer]bool{}
	layer := []place{{v, ""}}
	for range withinDepth {
		var below, found []place
		for _, p := range layer {
			if p.at.Kind() != reflect.Struct || isClosed(p.at.Type()) {
				continue
			}
			for i := range p.at.NumField() {
				f := p.at.Type().Field(i)
				inner := bare(held(p.at.Field(i)))
				self := pointer{unsafe.Pointer(inner.UnsafeAddr()), inner.Type()}
				one := place{inner, strings.TrimPrefix(p.path+"."+f.Name, ".")}
				switch {
				case f.Name == "_" || f.Type.Size() == 0 || seen[self]:
				case f.Name == name:
					seen[self] = true
					found = append(found, one)
				default:
					seen[self] = true
					below = append(below, one)
				}
			}
		}
		switch len(found) {
		case 1:
			return found[0].at, nil
		case 0:
			layer = below
			continue
		}
		var paths []string
		for _, p := range found[:min(len(found), mostNames)] {
			paths = append(paths, p.path)
		}
		return reflect.Value{}, fmt.Errorf("%q may be %s", clean(name), strings.Join(paths, ", "))
	}
	return reflect.Value{}, nil
}

// mostNames is how many names an error lists.
const mostNames = 20

func among(names []string) string {
	if len(names) == 0 {
		return ""
	}
	more := ""
	if n := len(names) - mostNames; n > 0 {
		names, more = names[:mostNames], fmt.Sprintf(" and %d more", n)
	}
	return "; there are " + strings.Join(names, ", ") + more
}

// bare is what pointers and interfaces lead to.
func bare(v reflect.Value) reflect.Value {
	for (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && !v.IsNil() {
		v = held(v.Elem())
	}
	return v
}

// enter returns the part of a value that has a name, or the zero Value and the
// names of all parts.
func (r *reader) enter(v reflect.Value, name string) (part reflect.Value, there []string) {
	switch v.Kind() {
	case reflect.Struct:
		if isClosed(v.Type()) {
			return reflect.Value{}, nil
		}
		return r.field(v, name)
	case reflect.Map:
		for _, e := range r.sorted(v) {
			is := r.nameOf(e)
			if is == name || is == `"`+name+`"` {
				return held(v.MapIndex(e.key)), nil
			}
			there = append(there, is)
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return reflect.Value{}, nil
		}
		for i := range v.Len() {
			if fmt.Sprint(i) == name {
				return held(v.Index(i)), nil
			}
		}
		if v.Len() > 0 {
			there = []string{"0", fmt.Sprintf("... %d", v.Len()-1)}
		}
	}
	return reflect.Value{}, there
}

// field finds a field of a struct, or one of a struct that is embedded in it.
func (r *reader) field(v reflect.Value, name string) (part reflect.Value, there []string) {
	var within []reflect.Value
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Name == "_" {
			continue
		}
		if f.Name == name {
			return held(v.Field(i)), nil
		}
		there = append(there, f.Name)
		if inner := bare(held(v.Field(i))); f.Anonymous && inner.Kind() == reflect.Struct && !isClosed(inner.Type()) {
			within = append(within, inner)
		}
	}
	for _, inner := range within {
		part, more := r.field(inner, name)
		if part.IsValid() {
			return part, nil
		}
		there = append(there, slices.DeleteFunc(more, func(n string) bool { return slices.Contains(there, n) })...)
	}
	return reflect.Value{}, there
}
