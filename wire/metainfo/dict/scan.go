package dict

import (
	"bytes"
	"errors"
	"fmt"
)

// ErrShort is the error of bencode that does not come to its end.
var ErrShort = errors.New("the data end too early")

// scan walks the value that raw begins with. It allocates nothing and does not
// recurse. It returns the value's length in bytes and how many values the
// outermost container holds, a dictionary's keys counted too.
func scan(raw []byte, maxValues int) (n, children int, err error) {
	var stack [MaxDepth]struct {
		dict  bool
		items int
	}
	depth, values := 0, 0
	for {
		if n >= len(raw) {
			return 0, 0, ErrShort
		}
		c := raw[n]
		if c == 'e' && depth > 0 {
			if top := stack[depth-1]; top.dict && top.items%2 != 0 {
				return 0, 0, fmt.Errorf("a key without a value before byte %d", n)
			}
			depth--
			n++
		} else {
			if values++; values > maxValues {
				return 0, 0, fmt.Errorf("more than %d values", maxValues)
			}
			if depth > 0 {
				top := &stack[depth-1]
				if top.dict && top.items%2 == 0 && !digit(c) {
					return 0, 0, fmt.Errorf("a key that is no string at byte %d", n)
				}
				top.items++
			}
			switch {
			case c == 'd' || c == 'l':
				if depth == MaxDepth {
					return 0, 0, fmt.Errorf("nested more than %d deep", MaxDepth)
				}
				stack[depth].dict, stack[depth].items = c == 'd', 0
				depth++
				n++
			default:
				size, err := scalar(raw[n:])
				if err != nil {
					return 0, 0, fmt.Errorf("%w at byte %d", err, n)
				}
				n += size
			}
		}
		if depth == 0 {
			return n, stack[0].items, nil
		}
	}
}

// scalar returns the length of the integer or string that b begins with.
func scalar(b []byte) (int, error) {
	switch {
	case b[0] == 'i':
		end := bytes.IndexByte(b, 'e')
		if end < 0 {
			return 0, ErrShort
		}
		digits := bytes.TrimPrefix(b[1:end], []byte("-"))
		if len(digits) == 0 || bytes.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' }) {
			return 0, errors.New("a malformed integer")
		}
		return end + 1, nil
	case digit(b[0]):
		length, i := 0, 0
		for ; i < len(b) && digit(b[i]); i++ {
			length = 10*length + int(b[i]-'0')
			if length > len(b) {
				return 0, ErrShort
			}
		}
		if i > 1 && b[0] == '0' || i < len(b) && b[i] != ':' {
			return 0, errors.New("a malformed string length")
		}
		if i == len(b) || length > len(b)-i-1 {
			return 0, ErrShort
		}
		return i + 1 + length, nil
	}
	return 0, fmt.Errorf("%q is not the start of a bencoded value", b[0])
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
