package debug

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/lab"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// clean makes a text fit to be shown: it may come from a hostile node.
func clean(s string) string { return metainfo.Clean(s, mostText) }

// closed are packages whose types are shown by their names alone: they belong
// to what actors stand on.
var closed = []string{"kouzui/actors/world", "kouzui/actors/runtime/supervise", "kouzui/actors/runtime/pattern", "kouzui/wire/buffer"}

// leaf is the text of a value that has no parts to be shown.
func (r *reader) leaf(v reflect.Value) (text string, is bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		if v.IsNil() {
			return "nil", true
		}
	case reflect.Map, reflect.Slice:
		if v.Len() == 0 {
			return "empty", true
		}
	}
	if text := r.known(v); text != "" {
		return text, true
	}
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.FormatUint(v.Uint(), 10), true
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', 6, 64), true
	case reflect.Complex64, reflect.Complex128:
		return fmt.Sprint(v.Complex()), true
	case reflect.String:
		return strconv.Quote(clean(v.String())), true
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return "(" + v.Kind().String() + ")", true
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return bytesOf(v), true
		}
	case reflect.Struct:
		if t := v.Type(); isClosed(t) {
			return "(" + t.String() + ")", true
		}
	}
	return "", false
}

func isClosed(t reflect.Type) bool {
	in := t.PkgPath()
	if in != "" && in != "kouzui" && !strings.HasPrefix(in, "kouzui/") {
		return true
	}
	for _, folder := range closed {
		if in == folder || strings.HasPrefix(in, folder+"/") {
			return true
		}
	}
	return false
}

// mostHex is how many bytes are shown: of a hash or a peer id all, of payload
// none.
const mostHex = 32

func bytesOf(v reflect.Value) string {
	n := v.Len()
	if v.Kind() == reflect.Slice || n > mostHex {
		return fmt.Sprintf("%d bytes", n)
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(v.Index(i).Uint())
	}
	return hex.EncodeToString(b)
}

// known is the text of types that have one of their own; empty for all others.
// A value that cannot be asked, as in the middle of a change, has none.
func (r *reader) known(v reflect.Value) (text string) {
	defer func() {
		if recover() != nil {
			text = "(" + v.Type().String() + ")"
		}
	}()
	switch x := v.Interface().(type) {
	case time.Duration:
		return x.String()
	case time.Time:
		if x.IsZero() {
			return "no time"
		}
		return x.Sub(lab.Epoch).String()
	case *actor.PID:
		return clean(x.Id)
	case netip.Addr:
		return x.String()
	case netip.AddrPort:
		return x.String()
	case *bitset.BitSet:
		return bits(x)
	case *metainfo.Torrent:
		return fmt.Sprintf("torrent %q, %d pieces", clean(x.Name), x.PieceCount())
	case *buffer.Block:
		return fmt.Sprintf("block of %d bytes", len(x.Bytes()))
	case messages.Link:
		return fmt.Sprintf("link %d to %v", x.ID(), x.Remote())
	case *rand.Rand:
		return "(random numbers)"
	case error:
		return strconv.Quote(clean(x.Error()))
	default:
		if speaks(v) {
			return clean(x.(fmt.Stringer).String())
		}
		return r.timer(x)
	}
}

// speaks tells whether a value is a number that has a name.
func speaks(v reflect.Value) bool {
	if !v.CanInt() && !v.CanUint() || isClosed(v.Type()) {
		return false
	}
	_, is := v.Interface().(fmt.Stringer)
	return is
}

// mostRanges is how many ranges of a bitset are shown.
const mostRanges = 10

// bits says which bits are set.
func bits(b *bitset.BitSet) string {
	n := b.Count()
	text := fmt.Sprintf("%d of %d bits set", n, b.Len())
	if n == 0 || n == b.Len() {
		return text
	}
	var ranges []string
	for from, is := b.NextSet(0); is; {
		to, more := b.NextClear(from)
		if !more {
			to = b.Len()
		}
		if len(ranges) == mostRanges {
			ranges = append(ranges, "…")
			break
		}
		one := strconv.FormatUint(uint64(from), 10)
		if to > from+1 {
			one = fmt.Sprintf("%d-%d", from, to-1)
		}
		ranges = append(ranges, one)
		from, is = b.NextSet(to)
	}
	return text + ": " + strings.Join(ranges, " ")
}
